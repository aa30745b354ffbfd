/** Whether the body of an answer is what its media type and its schema say. Each check tells what is wrong. */
import { isUtf8 } from 'node:buffer';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse as parseCsv } from 'csv-parse/sync';
import { SaxesParser } from 'saxes';
import type { ApiDocument, Schema } from './operations.ts';

/** null: nothing is wrong. */
export type Fault = string | null;

function errorOf(work: () => unknown): Fault {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The first line names the fields, and each further one has as many. */
function csvFault(text: string): Fault {
  return errorOf(() => parseCsv(text, { columns: true, relax_column_count: false }));
}

function xmlFault(text: string): Fault {
  return errorOf(() => {
    const parser = new SaxesParser({ xmlns: true });
    parser.on('error', (error) => { throw error; });
    parser.write(text).close();
  });
}

const TEXT_FORMS: Readonly<Record<string, (text: string) => Fault>> = {
  'text/csv': csvFault, 'application/gpx+xml': xmlFault, 'application/vnd.google-earth.kml+xml': xmlFault,
};

export class Bodies {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: false });

  /** @param document whose schemas those of the answers refer to */
  constructor(document: ApiDocument) {
    this.#ajv.addSchema({ $id: 'document', components: document.components ?? {} });
  }

  faultOf(body: Buffer, mediaType: string, schema: Schema): Fault {
    if (!isUtf8(body)) return 'the body is not UTF-8';
    const text = body.toString();
    const fault = TEXT_FORMS[mediaType];
    if (fault !== undefined) return fault(text);
    if (mediaType === 'application/x-ndjson') {
      const line: Schema = { $ref: '#/components/schemas/ChosenPosition' };
      return text.split('\n').slice(0, -1).map((one) => this.#jsonFault(one, line)).find((one) => one !== null) ?? null;
    }
    return mediaType.endsWith('json') ? this.#jsonFault(text, schema) : `nothing knows how to read ${mediaType}`;
  }

  #jsonFault(text: string, schema: Schema): Fault {
    let value: unknown;
    const fault = errorOf(() => { value = JSON.parse(text); });
    if (fault !== null) return `not JSON: ${fault}`;
    const validate = this.#compiled(schema);
    return validate(value) ? null : this.#ajv.errorsText(validate.errors);
  }

  readonly #known = new Map<Schema, ReturnType<Ajv2020['compile']>>();

  #compiled(schema: Schema): ReturnType<Ajv2020['compile']> {
    const known = this.#known.get(schema);
    if (known !== undefined) return known;
    // References in the schema lead to the document.
    const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')) as object;
    const validate = this.#ajv.compile(absolute);
    this.#known.set(schema, validate);
    return validate;
  }
}

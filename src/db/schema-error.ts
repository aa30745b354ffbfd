/** A database that this version cannot work with until an operator acts. Starting again changes nothing. */

export type SchemaProblem =
  | 'server unsuitable'
  | 'storage unavailable'
  | 'storage differs'
  | 'migration invalid'
  | 'migration changed'
  | 'migration unknown'
  | 'migration failed';

export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly problem: SchemaProblem;

  constructor(problem: SchemaProblem, message: string, cause?: unknown) {
    super(message, { cause });
    this.problem = problem;
  }
}

/**
 * Documents that are written by hand but for some tables: what stands between `<!-- begin NAME -->` and
 * `<!-- end NAME -->` is made from the code.
 */

/** @throws Error where the document has no place for a section, or a place for one that there is not */
export function withSections(document: string, sections: Readonly<Record<string, string>>): string {
  const places = [...document.matchAll(/<!-- begin ([^>]+) -->/g)].map(([, name]) => name ?? '');
  const missing = Object.keys(sections).filter((name) => !places.includes(name));
  const unknown = places.filter((name) => !(name in sections));
  if (missing.length > 0) throw new Error(`no place for: ${missing.join(', ')}`);
  if (unknown.length > 0) throw new Error(`no such section: ${unknown.join(', ')}`);
  return document.replace(
    /<!-- begin ([^>]+) -->[\s\S]*?<!-- end \1 -->/g,
    (_all, name: string) => `<!-- begin ${name} -->\n${sections[name] ?? ''}\n<!-- end ${name} -->`,
  );
}

/** What stands in a section now; empty where there is none of that name. */
export function sectionOf(document: string, name: string): string {
  const [, text = ''] = new RegExp(`<!-- begin ${name} -->\\n([\\s\\S]*?)\\n<!-- end ${name} -->`).exec(document) ?? [];
  return text;
}

/** Reads a Dockerfile: instructions by stage, continuation lines joined, comments left out. */

export interface Instruction {
  readonly name: string;
  readonly value: string;
}

export interface Stage {
  readonly image: string;
  readonly alias: string | undefined;
  readonly instructions: readonly Instruction[];
}

function instructionsOf(text: string): Instruction[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, ' ');
  const lines = joined.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, name, value] = /^(\w+)\s+(.*)$/.exec(line)!;
    return { name: name!.toUpperCase(), value: value!.trim() };
  });
}

/** The stages in order; what stands before the first FROM is left out. `$NODE_IMAGE` and its like are filled in. */
export function stagesOf(text: string): Stage[] {
  const stages: { image: string; alias: string | undefined; instructions: Instruction[] }[] = [];
  const args = new Map<string, string>();
  for (const { name, value } of instructionsOf(text)) {
    if (name === 'FROM') {
      const [image, , alias] = value.split(/\s+/);
      stages.push({ image: image!.replace(/\$\{(\w+)\}/g, (_, arg: string) => args.get(arg) ?? ''), alias, instructions: [] });
    } else if (stages.length === 0) {
      const [arg, fallback] = value.split('=');
      args.set(arg!, fallback ?? '');
    } else {
      stages.at(-1)!.instructions.push({ name, value });
    }
  }
  return stages;
}

/** Values of all instructions of a name. */
export function valuesOf(stage: Stage, name: string): string[] {
  return stage.instructions.filter((instruction) => instruction.name === name).map(({ value }) => value);
}

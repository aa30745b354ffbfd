/** Rounds of what is compared take turns, so that a machine whose speed drifts changes all of it. */

type Contestants<Name extends string, T> = Readonly<Record<Name, () => Promise<T> | T>>;

/** Runs every contestant once a round, in their order; what `warmUps` rounds before that give does not count. */
export async function takeTurns<Name extends string, T>(
  contestants: Contestants<Name, T>, rounds: number, warmUps = 1,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(contestants) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<Name, T[]>;
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const name of names) {
      const result = await contestants[name]();
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}

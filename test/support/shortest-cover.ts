/**
 * The shortest policy by brute force: every way to group the grants into statements is considered.
 * Shares no code with src/.
 */

/** What a statement may do in a cell: must grant it once, may, may not; or the cell means nothing. */
export type Cell = "required" | "allowed" | "forbidden" | "meaningless";

export interface Block {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly cell: (row: string, column: string) => Cell;
  readonly statement: (rows: string | string[], columns: string | string[]) => object;
}

/** The least serialized length of statements that grant a block, with a comma behind each. */
export function shortestLength({ rows, columns, cell, statement }: Block): number {
  const required: [string, string][] = rows.flatMap((row) =>
    columns.flatMap((column): [string, string][] =>
      cell(row, column) === "required" ? [[row, column]] : [],
    ),
  );
  const everything = 2 ** required.length - 1;
  const statements: { grants: number; length: number }[] = [];
  for (const someRows of subsets(rows)) {
    for (const someColumns of subsets(columns)) {
      const pairs = someRows.flatMap((row) => someColumns.map((column) => cell(row, column)));
      if (pairs.includes("forbidden")) continue;
      const grants = required.reduce(
        (mask, [row, column], i) =>
          someRows.includes(row) && someColumns.includes(column) ? mask | (1 << i) : mask,
        0,
      );
      const one = <T>(list: T[]) => (list.length === 1 && list[0] !== undefined ? list[0] : list);
      const { length } = JSON.stringify(statement(one(someRows), one(someColumns)));
      if (grants !== 0) statements.push({ grants, length: length + 1 });
    }
  }
  // least[granted]: the shortest statements that grant the cells in the mask.
  const least = new Map<number, number>([[everything, 0]]);
  const from = (granted: number): number => {
    const known = least.get(granted);
    if (known !== undefined) return known;
    const missing = ~granted & everything;
    const next = missing & -missing;
    let best = Number.POSITIVE_INFINITY;
    for (const { grants, length } of statements) {
      if (grants & next) best = Math.min(best, length + from(granted | grants));
    }
    least.set(granted, best);
    return best;
  };
  return from(0);
}

function subsets<T>(of: readonly T[]): T[][] {
  return Array.from({ length: 2 ** of.length - 1 }, (_, i) =>
    of.filter((_, bit) => ((i + 1) >> bit) & 1),
  );
}

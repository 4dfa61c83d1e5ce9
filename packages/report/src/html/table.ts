import { html, type Markup, type Part } from "./markup.js";

export interface HtmlTable {
  readonly caption: string;
  /** The first column's cells are row headers. */
  readonly columns: readonly string[];
  /** An undefined cell is unknown or does not apply. */
  readonly rows: readonly (readonly Part[])[];
}

/**
 * A table without its empty columns; on a narrow screen it becomes a list of blocks. Styled as blocks, browsers no longer
 * treat it as a table, so every part states its role.
 */
export function cardTable(table: HtmlTable): Markup {
  const shown = table.columns.map((_, column) => table.rows.some((row) => row[column] !== undefined));
  const columns = table.columns.filter((_, column) => shown[column]);
  const rows = table.rows.map((row) => row.filter((_, column) => shown[column]));
  return tableOf({ ...table, columns, rows }, "cards", (cell, title) =>
    cell === undefined
      ? html`<td role="cell" class="none">-</td>`
      : html`<td role="cell" data-title="${title}"><div>${cell}</div></td>`,
  );
}

/** A small table of states; on a narrow screen, each row becomes its name with its states below it, as many as fit on a line. */
export function matrixTable(table: HtmlTable): Markup {
  return tableOf(
    table,
    "matrix",
    (cell, title) => html`<td role="cell" data-title="${title}">${cell ?? "-"}</td>`,
  );
}

/** @param cellOf a cell of any column but the first, with the column's title */
function tableOf(
  { caption, columns, rows }: HtmlTable,
  style: "cards" | "matrix",
  cellOf: (cell: Part, title: Part) => Markup,
): Markup {
  return html`<table class="${style}" role="table">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map((column) => html`<th role="columnheader" scope="col">${column}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        ([first, ...others]) =>
          html`<tr role="row">
            <th role="rowheader" scope="row">${first}</th>
            ${others.map((cell, index) => cellOf(cell, columns[index + 1]))}
          </tr> `,
      )}
    </tbody>
  </table> `;
}

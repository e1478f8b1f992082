"use strict";

/* Datasette's table.js reads this. */
window.DATASETTE_ALLOW_FACET = true;

/* Names for the fields that Datasette's pages leave without. */
for (const [fields, name] of [
  ["select[name^=_filter_column]", "Column"],
  ["select[name^=_filter_op]", "Comparison"],
  ["input[name^=_filter_value]", "Value"],
  ["#sql-editor", "SQL"],
]) {
  for (const field of document.querySelectorAll(fields)) field.setAttribute("aria-label", name);
}

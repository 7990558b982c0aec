//! What pages of sweeps and gates have in common: the frame, the style, and a script that no content depends on.
//!
//! Invariant: a page is well-formed as XML and loads nothing. Without scripts everything is there; with them, tables marked `filtered` get a
//! field to type in, and code marked `copy` a button.
//!
//! What is deliberately absent: a library, and anything that a page would have to fetch.

use super::plot::{self, escape};

const STYLE: &str = "\
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 75rem; padding: 0 1rem; } \
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } h2 { margin: 2.5rem 0 .25rem; font-size: 1.1rem; overflow-wrap: anywhere; } \
figure { margin: 1rem 0; overflow-x: auto; } figure .plot { min-width: 30rem; } caption { text-align: left; } figcaption, .faint { color: var(--faint); } .scroll { overflow-x: auto; margin: .8rem 0; } \
table { border-collapse: collapse; } th, td { text-align: right; padding: .15rem 1rem .15rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; } \
th { color: var(--faint); font-weight: normal; } td { font-variant-numeric: tabular-nums; } th.text, td.text, th[scope=row] { text-align: left; } \
th[scope=row] { color: var(--ink); } td.wide { white-space: normal; overflow-wrap: anywhere; min-width: 11rem; } code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; white-space: normal; } \
.pass { color: var(--good); } .fail { color: var(--bad); } button, input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 4px; margin: 0 .4rem; } ";

/// Plain, and short enough to be read.
const SCRIPT: &str = "\
for (const code of document.querySelectorAll('code.copy')) {
  const button = document.createElement('button');
  button.textContent = 'copy';
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(code.textContent); button.textContent = 'copied'; }
    catch { getSelection().selectAllChildren(code); button.textContent = 'selected'; }
  };
  code.after(button);
}
for (const table of document.querySelectorAll('table.filtered')) {
  const label = document.createElement('label');
  const field = document.createElement('input');
  label.append('rows with ', field);
  field.type = 'search';
  field.oninput = () => {
    const words = field.value.toLowerCase().split(' ');
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = words.some(word => !text.includes(word));
    }
  };
  table.parentElement.before(label);
}
";

/// A page with this title and content.
pub(in crate::report) fn page(title: &str, tool: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{}</title>\n<style>{}\n{STYLE}</style>\n</head>\n<body>\n{content}\
         <p class=\"faint\">sim {}</p>\n<script>//<![CDATA[\n{SCRIPT}//]]></script>\n</body>\n</html>\n",
        escape(title),
        plot::STYLE,
        escape(tool)
    )
}

/// A plot with what it shows and how to read it.
pub(in crate::report) fn figure(plot: &plot::Plot) -> String {
    format!("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", plot.inside(), escape(plot.description()))
}

/// A table, around rows that are marked up. Columns whose name begins with a space hold text.
pub(in crate::report) fn table(caption: &str, class: &str, columns: &[&str], rows: &str) -> String {
    let cell = |column: &&str| {
        let text = if column.starts_with(' ') { " class=\"text\"" } else { "" };
        format!("<th scope=\"col\"{text}>{}</th>", escape(column.trim_start()))
    };
    let head = columns.iter().map(cell).collect::<Vec<_>>().concat();
    format!(
        "<div class=\"scroll\"><table class=\"{class}\">\n<caption class=\"faint\">{}</caption>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n",
        escape(caption)
    )
}

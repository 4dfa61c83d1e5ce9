/** CSS colours; text has a contrast of at least 4.5 to 1 on both backgrounds (WCAG 2.2, 1.4.3). */
export interface Palette {
  readonly page: string;
  readonly panel: string;
  readonly line: string;
  readonly text: string;
  readonly quiet: string;
  readonly link: string;
  readonly good: string;
  readonly waiting: string;
  readonly bad: string;
}

export const LIGHT: Palette = {
  page: "#ffffff",
  panel: "#f5f7f9",
  line: "#d0d6dc",
  text: "#1c2126",
  quiet: "#57606a",
  link: "#0b57b0",
  good: "#11662b",
  waiting: "#7a4b00",
  bad: "#a8071a",
};

export const DARK: Palette = {
  page: "#0e1116",
  panel: "#171c23",
  line: "#38414b",
  text: "#e4e9ee",
  quiet: "#9aa5b0",
  link: "#79b8ff",
  good: "#5bd174",
  waiting: "#e8b44a",
  bad: "#ff8178",
};

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, color]) => `--${name}:${String(color)}`)
    .join(";");
}

/** Below this width, each table row becomes a block labelled with its column titles. */
const NARROW = "40rem";

/** The page's only style: no fonts or images, nothing is fetched. */
export const STYLE = `
:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
header,main{max-width:72rem;margin:0 auto;padding:0 1rem}
main{padding-bottom:3rem}
h1{font-size:1.6rem;line-height:1.25;margin:1.5rem 0 .25rem}
h2{font-size:1.2rem;line-height:1.3;margin:2.5rem 0 .75rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:.25rem 0}
ul{margin:.25rem 0;padding-left:1.25rem}
a{color:var(--link)}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{margin:.5rem 0;padding:.75rem;border:1px solid var(--line);border-radius:.375rem;background:var(--panel);white-space:pre-wrap}
pre code{font:inherit}
.output{white-space:pre;overflow-x:auto}
.command{user-select:all;-webkit-user-select:all}
.quiet{color:var(--quiet)}
.good{color:var(--good)}
.waiting{color:var(--waiting)}
.bad{color:var(--bad)}
.state{font-weight:600}
.state,.unbroken{white-space:nowrap}
.verdict{font-weight:600}
.box{border:1px solid var(--line);border-left-width:.3rem;border-radius:.375rem;padding:.5rem 1rem;margin:1rem 0}
.box.good,.box.bad{border-left-color:currentColor}
.box>*{color:var(--text)}
.box>.verdict{color:inherit}
.box>.quiet{color:var(--quiet)}
.whole{user-select:all;-webkit-user-select:all}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.1rem 1rem;margin:.25rem 0}
dt{color:var(--quiet)}
dd{margin:0}
section.service{border-top:1px solid var(--line);margin-top:2.5rem}
section.service>h2{margin-top:1rem}
table{width:100%;border-collapse:collapse;margin:1rem 0;font-size:.9375rem}
caption{text-align:left;font-weight:600;padding:.25rem 0}
th,td{overflow-wrap:break-word;text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--quiet);font-weight:400;font-size:.875rem;padding-top:0}
tbody th{font-weight:600}
small{font-size:.8125rem;font-weight:400;color:var(--quiet)}
td small,th small{display:block}
td code{overflow-wrap:anywhere}
small .state{font-weight:400}
.matrix{width:auto;overflow-wrap:normal}
.matrix th,.matrix td{padding-right:2rem}
.matrix caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media screen and (max-width:${NARROW}){
.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards,.cards caption,.cards tbody,.cards tr,.cards th,.cards td{display:block}
.cards tr{border-top:1px solid var(--line);padding:.5rem 0}
.cards th,.cards td{border:0;padding:.1rem 0}
.cards td{display:grid;grid-template-columns:6.5rem minmax(0,1fr);gap:0 .5rem}
.cards td::before{content:attr(data-title);color:var(--quiet)}
.cards td.none{display:none}
.cards .beside{display:inline}
.cards .state{white-space:normal}
.matrix thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.matrix,.matrix tbody,.matrix tr,.matrix th{display:block}
.matrix tr{border-top:1px solid var(--line);padding:.5rem 0}
.matrix th,.matrix td{border:0;padding:.1rem 0}
.matrix th small{display:inline;margin-left:.5rem}
.matrix td{display:inline-block;margin-right:1rem}
.matrix td::before{content:attr(data-title) " ";color:var(--quiet)}
.matrix td div{display:inline}
.matrix td div+div::before{content:", "}
}
@media print{
:root{color-scheme:light;${variables(LIGHT)}}
html{font-size:10pt}
h2,caption{break-after:avoid}
tr,pre,.box,.problem{break-inside:avoid}
.output{white-space:pre-wrap}
a{color:inherit;text-decoration:none}
}
`;

"""The style of a report's page: light and dark, a phone's width, paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1d21; --soft: #5d6068; --paper: #ffffff; --line: #d9dbe0; --tint: #f3f4f7;
  --best: #e5f1e6; --s0: #0072b2; --s1: #d55e00; --s2: #00805c; --s3: #b3538f; --s4: #a87000; --s5: #2a8cc4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e9ec; --soft: #a3a7b1; --paper: #16171b; --line: #3a3d45;
  --tint: #22242a; --best: #1f3a26; --s0: #5eb3e8; --s1: #ff9552; --s2: #3ccf9f; --s3: #e59ac8; --s4: #f0b93a;
  --s5: #9ad5f7; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem clamp(0.8rem, 3vw, 2rem) 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 0.3rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 0.4rem; }
p, ul { max-width: 48rem; } .soft, figcaption, footer { color: var(--soft); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.35rem 0.7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
tr:last-child > * { border-bottom: 0; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); font-weight: 500; }
thead th { background: var(--tint); font-weight: 600; } thead th:first-child { background: var(--tint); }
td.best { background: var(--best); font-weight: 600; } td small, tr.p > * { color: var(--soft); font-weight: 400; }
tr.p > * { font-size: 0.82rem; padding-top: 0; } tr:has(+ tr.p) > * { border-bottom: 0; padding-bottom: 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.4rem; }
figure { margin: 0; } .chart svg { width: 100%; height: auto; display: block; }
.line, .swatch path { fill: none; stroke-width: 2; stroke-linejoin: round; } .grid { stroke: var(--line); }
svg text { fill: var(--soft); font: 13px system-ui, sans-serif; }
.truth { stroke: var(--ink); stroke-width: 3; } .baseline { stroke: var(--soft); }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); } .s3 { stroke: var(--s3); }
.s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
figcaption { font-size: 0.85rem; } .key { display: inline-flex; align-items: center; gap: 0.4rem; margin-right: 1rem;
  overflow-wrap: anywhere; } .chart .swatch { width: 28px; height: 8px; flex: none; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.6rem;
  margin-bottom: 1.4rem; }
.pictures figure { max-width: 16rem; }
.pictures img { width: 100%; height: auto; display: block; border-radius: 3px; margin-bottom: 3px; }
.pictures figcaption { line-height: 1.3; overflow-wrap: anywhere; }
.pixels { image-rendering: pixelated; }
.ramp { display: inline-block; width: 7rem; height: 0.7rem; vertical-align: middle; border: 1px solid var(--line); }
code, pre { font: 0.85rem ui-monospace, monospace; background: var(--tint); border-radius: 4px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.7rem; }
dt { font-weight: 600; margin-top: 0.6rem; } dd { margin: 0 0 0 1rem; max-width: 48rem; overflow-wrap: anywhere; }
summary { cursor: pointer; font-weight: 600; margin: 1rem 0 0.4rem; }
@media (max-width: 40rem) { svg text { font-size: 21px; } }
@media print { @page { margin: 14mm; } :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff;
  --line: #bbb; --tint: #f0f0f0; --best: #e2efe3; --s0: #0072b2; --s1: #d55e00; --s2: #00805c; --s3: #b3538f;
  --s4: #a87000; --s5: #2a8cc4; }
  body { font-size: 10pt; padding: 0; max-width: none; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .scroll { overflow: visible; border: 0; } table { font-size: 8pt; }
  th, td { padding: 0.15rem 0.4rem; }
  th, td { white-space: normal; } th:first-child { position: static; } tr, figure, .row { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; }
  .pictures { grid-template-columns: repeat(auto-fit, minmax(26mm, 1fr)); gap: 2mm; }
  h2, h3, h2 + p, h3 + p { break-after: avoid; } tr.p > * { font-size: 7pt; }
  details::details-content { content-visibility: visible; display: block; } }
"""

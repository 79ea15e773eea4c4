//! The page's style sheet: light and dark, print, contrast of at least 4.5 to 1 for text (WCAG 2.2, 1.4.3).

/// Inline CSS of the report.
pub(super) const CSS: &str = r#"
:root{color-scheme:light dark;--bg:#f6f5f1;--paper:#fff;--ink:#1b1f24;--soft:#545d68;--line:#dcdad2;--code:#f0eee8;
--ok:#14613a;--ok-bg:#e5f3ea;--no:#9b1c1c;--no-bg:#fbe9e7;--maybe:#6b4e00;--maybe-bg:#faf0d4;--accent:#23486d}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--paper:#1c2026;--ink:#e8e6e1;--soft:#a9b1bb;--line:#343a43;--code:#262b32;
--ok:#7fd6a3;--ok-bg:#16301f;--no:#ffa49a;--no-bg:#3b1a18;--maybe:#eecb6a;--maybe-bg:#332a10;--accent:#9cc4ee}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 4rem}
a{color:var(--accent)}
h1{font-size:1.05rem;font-weight:600;letter-spacing:.01em;color:var(--soft);margin:0 0 1rem}
h2{font-size:1.3rem;margin:2.75rem 0 .9rem;letter-spacing:-.01em}
h3{font-size:1.12rem;margin:0;line-height:1.35}
h4{font-size:.8rem;font-weight:650;color:var(--soft);margin:1.1rem 0 .25rem}
p{margin:.35rem 0}
ul{margin:.25rem 0;padding-left:1.15rem}li{margin:.2rem 0}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
code{overflow-wrap:anywhere}
pre{background:var(--code);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere}
.result{border-radius:14px;padding:1.6rem 1.75rem;border:1px solid;border-left-width:10px}
.result .word{font-size:2.1rem;font-weight:750;letter-spacing:-.02em;line-height:1.15;margin:0}
.result .sentence{font-size:1.15rem;margin:.5rem 0 0;color:var(--ink)}
.result .meta{color:var(--soft);margin:.7rem 0 0;font-size:.95rem}
.supported{color:var(--ok);background:var(--ok-bg);border-color:var(--ok)}
.refuted{color:var(--no);background:var(--no-bg);border-color:var(--no)}
.inconclusive{color:var(--maybe);background:var(--maybe-bg);border-color:var(--maybe)}
.warnings{list-style:none;padding:0;margin:1rem 0 0;display:grid;gap:.5rem}
.warnings li{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:.55rem .9rem;margin:0}
.tag{font-weight:700;font-size:.82rem;letter-spacing:.03em;color:var(--maybe)}
.overview{width:100%;border-collapse:collapse;background:var(--paper);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.overview td,.overview th{padding:.6rem .9rem;border-top:1px solid var(--line);text-align:left;vertical-align:middle;font-weight:400}
.overview tr:first-child td,.overview tr:first-child th{border-top:0}
.overview th{width:8rem;font-weight:650}
.overview td:last-child{text-align:right;white-space:nowrap}
.badge{display:inline-block;border:1px solid;border-radius:999px;padding:.1rem .7rem;font-size:.78rem;font-weight:700;letter-spacing:.04em;white-space:nowrap}
.badge::before{margin-right:.4em}
.badge.supported::before{content:"\2713"}.badge.refuted::before{content:"\2717"}.badge.inconclusive::before{content:"?"}
.card{background:var(--paper);border:1px solid var(--line);border-left:6px solid;border-radius:12px;padding:1.25rem 1.4rem 1.35rem;margin:0 0 1rem}
.card.supported{background:var(--paper);border-color:var(--line);border-left-color:var(--ok)}
.card.refuted{background:var(--paper);border-color:var(--line);border-left-color:var(--no)}
.card.inconclusive{background:var(--paper);border-color:var(--line);border-left-color:var(--maybe)}
.card>*{color:var(--ink)}
.card header{display:flex;gap:1rem;justify-content:space-between;align-items:flex-start;flex-wrap:wrap}
.card .name{color:var(--soft);font-size:.9rem;margin:.1rem 0 0}
.card .headline{font-size:1.05rem;margin:.8rem 0 0}
.card h4{color:var(--soft)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 2rem}
@media(max-width:44rem){.two{grid-template-columns:1fr}.overview td:nth-child(2){display:none}}
dl{display:grid;grid-template-columns:11rem 1fr;gap:.4rem 1rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media(max-width:44rem){dl{grid-template-columns:1fr;gap:.1rem}dd{margin-bottom:.5rem}}
.panel{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:1.2rem 1.4rem}
.scroll{overflow-x:auto}
table.data{width:100%;border-collapse:collapse;font-size:.92rem}
table.data caption{text-align:left;color:var(--soft);font-size:.86rem;padding:.2rem 0 .5rem}
table.data th,table.data td{padding:.4rem .8rem .4rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
table.data thead th{border-top:0;color:var(--soft);font-size:.84rem}
table.data .num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.soft{color:var(--soft)}
footer{margin-top:3rem;color:var(--soft);font-size:.88rem}
@media print{:root{--bg:#fff;--paper:#fff;--ink:#000;--soft:#333;--line:#999;--code:#fff;--ok:#000;--ok-bg:#fff;--no:#000;--no-bg:#fff;--maybe:#000;--maybe-bg:#fff}
main{max-width:none;padding:0}.card,.panel,.result{break-inside:avoid}body{font-size:11pt}}
"#;

/// What the timeline of a fleet adds. Shapes differ as well as colours.
pub(super) const TIMELINE_CSS: &str = r#"
.sq{display:inline-block;width:.72rem;height:.72rem;margin:1px;border-radius:2px;border:1px solid var(--line);vertical-align:middle}
.sq.h{background:var(--ok);border-color:var(--ok)}
.sq.f{background:var(--no);border-color:var(--no);border-radius:50%}
.sq.l{background:var(--maybe);border-color:var(--maybe)}
.sq.u{background:transparent;border-color:var(--maybe);border-width:2px}
.sq.m{background:transparent;border:2px dashed var(--no)}
.squares{min-width:14rem;line-height:1}
.legend{color:var(--soft);font-size:.9rem}
"#;

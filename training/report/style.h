// unival: style.h - the style sheet of reports: dark on light, system fonts, 1040 px of text.
#ifndef UNIVAL_TRAINING_REPORT_STYLE_H_
#define UNIVAL_TRAINING_REPORT_STYLE_H_

namespace unival::report {

inline constexpr char kStyleSheet[] = R"css(
:root { --ink: #1c2430; --soft: #5d6878; --line: #e2e6ec; --paper: #fff; --ground: #f5f6f8;
        --accent: #2458c5; --good: #17764a; --bad: #b23a2e; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
       font: 16px/1.5 "Inter", "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 40px 24px 56px; }
h1 { font-size: 34px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 21px; margin: 44px 0 6px; }
p { margin: 0 0 14px; max-width: 76ch; }
.lead { font-size: 18px; color: var(--soft); }
.note { color: var(--soft); font-size: 14px; }
.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px; margin: 26px 0 8px; }
.tile { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
        padding: 14px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.2; font-variant-numeric: tabular-nums;
          white-space: nowrap; }
.tile span { color: var(--soft); font-size: 13.5px; line-height: 1.35; display: block;
             margin-top: 4px; }
.cards { display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px; margin-top: 14px; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
        overflow: hidden; }
.card .picture { display: block; width: 100%; aspect-ratio: 1; background: #101418; }
.card .words { padding: 12px 16px 14px; }
.caption { font-weight: 600; line-height: 1.35; margin: 0 0 8px; }
.qa { margin: 0; font-size: 14.5px; display: grid; grid-template-columns: 1fr auto; gap: 2px 12px; }
.qa dt { color: var(--soft); } .qa dd { margin: 0; text-align: right; font-weight: 600; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.wrong small { display: block; font-weight: 400; }
.tag { display: inline-block; font-size: 12px; border-radius: 999px; padding: 1px 9px;
       margin-bottom: 6px; background: #eaf0fb; color: var(--accent); }
.tag.new { background: #fdf0dd; color: #8a5308; }
.panel { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
         padding: 18px 20px; margin-top: 14px; }
.panel svg { display: block; width: 100%; height: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14.5px;
        font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 8px 8px; border-bottom: 1px solid var(--line);
         vertical-align: top; }
th { color: var(--soft); font-weight: 500; font-size: 13px; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
table.text th, table.text td { text-align: left; }
tbody tr:last-child td { border-bottom: 0; }
tr.main td { font-weight: 600; }
td small { display: block; color: var(--soft); font-weight: 400; font-size: 13px; }
code, pre { font-family: "JetBrains Mono", "DejaVu Sans Mono", Consolas, monospace;
            font-size: 13px; }
pre { background: #f0f2f6; border-radius: 8px; padding: 12px 14px; overflow-x: auto;
      margin: 8px 0 0; white-space: pre-wrap; }
.bar { background: var(--accent); height: 1em; }
.piece { background: #e8ebf1; margin: 1px; padding: 0 .2em; white-space: pre;
         display: inline-block; }
img.exact { image-rendering: pixelated; max-width: 100%; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; align-items: start; }
.two > * { min-width: 0; }
footer { margin-top: 40px; color: var(--soft); font-size: 13.5px;
         border-top: 1px solid var(--line); padding-top: 14px; }
@media (max-width: 800px) { .tiles, .cards, .two { grid-template-columns: 1fr 1fr; } }
)css";

}  // namespace unival::report

#endif  // UNIVAL_TRAINING_REPORT_STYLE_H_

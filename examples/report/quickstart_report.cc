#include "examples/report/quickstart_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "examples/report/example_card.h"
#include "training/report/html.h"
#include "training/report/line_chart.h"

namespace unival::report {
namespace {

std::string Heading(absl::string_view text) { return Element("h2", "", Escape(text)); }
std::string Note(absl::string_view text) { return Element("p", "note", Escape(text)); }
std::string Panel(absl::string_view inner) { return Element("div", "panel", inner); }

std::string Share(const absl::optional<double>& share) {
  return share ? Percent(*share) : "&ndash;";
}

std::string Seconds(double seconds) {
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 120) return absl::StrFormat("%.0f s", seconds);
  return absl::StrFormat("%.1f min", seconds / 60);
}

const RunSummary* MainRun(const QuickstartReport& report) {
  const auto found = std::find_if(report.runs.begin(), report.runs.end(),
                                  [](const RunSummary& run) { return run.main; });
  return found == report.runs.end() ? nullptr : &*found;
}

std::string Tile(absl::string_view figure, absl::string_view meaning) {
  return Element("div", "tile", absl::StrCat("<b>", figure, "</b>", Element("span", "", meaning)));
}

std::string Tiles(const QuickstartReport& report, const RunSummary& run) {
  const double share = report.model_parameters > 0
                           ? static_cast<double>(run.trainable_parameters) /
                                 static_cast<double>(report.model_parameters)
                           : 0;
  return Element(
      "div", "tiles",
      absl::StrCat(
          Tile(Share(run.caption_seen), "captions of new scenes exactly right"),
          Tile(Share(run.caption_held_out), "with combinations never seen in training"),
          Tile(WithThousands(run.trainable_parameters),
               absl::StrCat("parameters trained, ", Percent(share), " of the model")),
          Tile(Seconds(run.seconds),
               absl::StrFormat("of training, %.0f MiB of memory at most", run.peak_memory_mb)),
          Tile(WithThousands(report.receipt.frozen_changed),
               absl::StrCat("of ", WithThousands(report.receipt.frozen_tensors),
                            " frozen tensors changed"))));
}

std::string Top(const QuickstartReport& report) {
  std::string top = Element("h1", "", "A model learns to read depth maps");
  absl::StrAppend(
      &top,
      Element("p", "lead",
              absl::StrCat(
                  "The model <code>", Escape(report.model),
                  "</code> knew pictures, videos and text of a small world, and no depth. The "
                  "plugin <code>",
                  Escape(report.plugin),
                  "</code> brought the modality, a template file its tasks, and training moved "
                  "one linear connection. Everything else is as it was, to the bit.")));
  if (const RunSummary* run = MainRun(report)) absl::StrAppend(&top, Tiles(report, *run));
  return top;
}

std::string Examples(const QuickstartReport& report) {
  if (report.examples.empty()) return "";
  std::string cards;
  for (const ExampleCard& example : report.examples)
    absl::StrAppend(&cards, ExampleCardHtml(example));
  return absl::StrCat(
      Heading("What it says about scenes it has not seen"),
      Note("Distance in colours, bright is near. Solid boxes are the model's, dashed "
           "ones the truth. Captions, answers and "
           "boxes are generated freely, word by word. Green is right."),
      Element("div", "cards", cards));
}

std::string Sentences(const QuickstartReport& report) {
  if (report.sentences.empty()) return "";
  Table table({"a new signal that means", "is answered with", ""}, "text");
  for (const SaidSentence& sentence : report.sentences) {
    table.AddRow({Escape(sentence.wanted), Escape(sentence.said),
                  sentence.said == sentence.wanted ? "right" : "wrong"});
  }
  return absl::StrCat(Heading("Your own sentences"),
                      Note("A sensor that does not exist, one random signal a sentence with noise; "
                           "its connection alone was trained."),
                      Panel(table.Html()));
}

std::string Curve(const QuickstartReport& report) {
  LineChart chart{"optimizer step", "training loss per token", {}};
  for (const RunSummary& run : report.runs) {
    if (!run.loss.empty()) chart.series.push_back({run.name, run.loss, run.main});
  }
  if (chart.series.empty()) return "";
  return absl::StrCat(Heading("Training"), Panel(LineChartSvg(chart)));
}

std::string Controls(const QuickstartReport& report) {
  Table table({"run", "parameters<br>trained", "seconds", "steps / s", "peak MiB", "captions",
               "held-out<br>captions", "answers", "boxes<br>(mean IoU)"});
  for (const RunSummary& run : report.runs) {
    table.AddRow(
        {absl::StrCat(Escape(run.name), "<small>", Escape(run.note), "</small>"),
         WithThousands(run.trainable_parameters), absl::StrFormat("%.0f", run.seconds),
         absl::StrFormat("%.1f", run.steps_per_second), absl::StrFormat("%.0f", run.peak_memory_mb),
         Share(run.caption_seen), Share(run.caption_held_out), Share(run.answers),
         run.box_iou ? absl::StrFormat("%.2f", *run.box_iou) : "&ndash;"},
        run.main ? "main" : "");
  }
  return absl::StrCat(Heading("Is it the model, or would anything do?"),
                      Note("Each control changes one thing and keeps data and seed; full "
                           "finetuning has steps and a rate of its own. Each run is a process of "
                           "its own with one thread, the first two and the others side by side. "
                           "Captions count when every word is right."),
                      Panel(table.Html()));
}

std::string ReceiptPanel(const ReceiptSummary& receipt) {
  Table table({"tensors and buffers", "number", "elements", "changed"});
  table.AddRow({"frozen", WithThousands(receipt.frozen_tensors),
                WithThousands(receipt.frozen_scalars),
                Element("span", receipt.frozen_changed == 0 ? "right" : "wrong",
                        WithThousands(receipt.frozen_changed))});
  table.AddRow({"trained", WithThousands(receipt.trained_tensors),
                WithThousands(receipt.trained_scalars), "all"});
  std::string text = absl::StrCat(
      table.Html(), Note(absl::StrCat("Hashes recomputed from the model directories: ",
                                      WithThousands(receipt.compared_with_model),
                                      " tensors of the trained model, ",
                                      WithThousands(receipt.compared_with_base), " of the base.")));
  for (const std::string& problem : receipt.problems) {
    absl::StrAppend(&text, Element("p", "wrong", Escape(problem)));
  }
  return Panel(text);
}

std::string UnchangedPanel(const std::vector<UnchangedTask>& tasks) {
  Table table({"task", "before", "after", "identical answers"});
  for (const UnchangedTask& task : tasks) {
    const bool same = task.identical == task.records;
    table.AddRow({absl::StrCat(Escape(task.task), "<small>", Escape(task.metric), "</small>"),
                  absl::StrFormat("%.4f", task.before), absl::StrFormat("%.4f", task.after),
                  Element("span", same ? "right" : "wrong",
                          absl::StrCat(WithThousands(task.identical), " of ",
                                       WithThousands(task.records)))});
  }
  return Panel(table.Html());
}

std::string Proof(const QuickstartReport& report) {
  return absl::StrCat(
      Heading("Nothing else moved"),
      Note("The receipt holds the SHA-256 of every tensor and buffer before and after training. "
           "What the model could do, "
           "it does exactly as before: the same words, boxes and scores."),
      Element("div", "two",
              absl::StrCat(ReceiptPanel(report.receipt), UnchangedPanel(report.unchanged))));
}

std::string HowPanels(const QuickstartReport& report) {
  Table templates({"task", "prompt and target"}, "text");
  for (const auto& [task, wording] : report.templates) {
    templates.AddRow({absl::StrCat("<code>", Escape(task), "</code>"), Escape(wording)});
  }
  Table phases({"phase", "time"});
  double total = 0;
  for (const PhaseTime& phase : report.phases) {
    phases.AddRow({Escape(phase.name), Seconds(phase.seconds)});
    total += phase.seconds;
  }
  phases.AddRow({"all", Seconds(total)}, "main");
  return Element("div", "two", absl::StrCat(Panel(templates.Html()), Panel(phases.Html())));
}

std::string How(const QuickstartReport& report) {
  std::string how = Heading("How it was made");
  absl::StrAppend(
      &how,
      Note(absl::StrCat("Tasks come from ", report.template_file, "; the data are ",
                        WithThousands(report.train_scenes), " generated scenes to train on and ",
                        WithThousands(report.eval_scenes), " to measure on, seed ", report.seed,
                        ".")),
      HowPanels(report));
  if (!report.commands.empty()) {
    absl::StrAppend(&how, Panel(absl::StrCat(
                              "Single steps, to repeat by hand:",
                              Element("pre", "", Escape(absl::StrJoin(report.commands, "\n"))))));
  }
  return how;
}

}  // namespace

std::string WithThousands(int64_t number) {
  std::string digits = absl::StrCat(number < 0 ? -number : number);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) digits.insert(i, ",");
  return number < 0 ? "-" + digits : digits;
}

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string RenderQuickstartReport(const QuickstartReport& report) {
  return Page("UnIVAL quickstart: a model learns to read depth maps",
              absl::StrCat(Top(report), Examples(report), Sentences(report), Curve(report),
                           Controls(report), Proof(report), How(report),
                           Element("footer", "", Escape(report.machine))));
}

}  // namespace unival::report

// unival: shipped_commands.h
//
// The commands of `unival`, in the order of the help: who holds it, FOO of AddFooCommand, its name,
// whether it has commands of its own (`data import`; an extension of the same name may then add
// some), and what it does. Two programs in libexec/ hold them: CORE those that work with a model or
// make one, TOOLS those that are needed now and then, so that a first user need not compile them.
//
// A new command needs its line here, its own file foo_command.cc that defines AddFooCommand, and
// that file's line in BUILD.
#ifndef UNIVAL_APP_SHIPPED_COMMANDS_H_
#define UNIVAL_APP_SHIPPED_COMMANDS_H_

#define UNIVAL_COMMANDS(CORE, TOOLS)                                                             \
  CORE(Predict, "predict", false, "Answer records: given as options, as files, or as JSONL")     \
  CORE(Eval, "eval", false, "Measure a model on the records of a file")                          \
  TOOLS(Score, "score", false, "Score answers that come from anywhere, as the field does")       \
  CORE(Probe, "probe", false, "Measure what a linear classifier makes of an encoder's features") \
  TOOLS(Prompts, "prompts", true,                                                                \
        "Task templates: what they say, and whether data and a model fit them")                  \
  TOOLS(Plan, "plan", true, "Look at training plans")                                            \
  CORE(Train, "train", false, "Run a training plan")                                             \
  TOOLS(Watch, "watch", false, "Show where a training run stands, while it goes on or later")    \
  TOOLS(Checkpoint, "checkpoint", true, "Look at and use what a run has saved so far")           \
  CORE(Launch, "launch", false, "Run a training plan by several processes of this host")         \
  TOOLS(Merge, "merge", true,                                                                    \
        "Make one model of several that were trained from one, by their weights")                \
  CORE(Verify, "verify", false, "Check a training receipt against model directories")            \
  TOOLS(Data, "data", true, "Make, pack and check data")                                         \
  TOOLS(Plugin, "plugin", true, "List, check and write plugins")                                 \
  TOOLS(Vocab, "vocab", true, "Show and change the blocks of a model's vocabulary")              \
  TOOLS(Adapter, "adapter", true, "List, show, merge, remove and copy small trained parts")      \
  CORE(Inspect, "inspect", false, "Show what a model directory holds")                           \
  CORE(Doctor, "doctor", false, "Show libraries, BLAS, threads, devices, formats and plugins")

#endif  // UNIVAL_APP_SHIPPED_COMMANDS_H_

// unival: prompts_commands.h - the commands of `unival prompts`, each in its file.
#ifndef UNIVAL_APP_PROMPTS_COMMANDS_H_
#define UNIVAL_APP_PROMPTS_COMMANDS_H_

#include "app/options.h"

namespace unival {

void AddPromptsList(Command& prompts);
void AddPromptsShow(Command& prompts);
void AddPromptsCheck(Command& prompts);
void AddPromptsAdd(Command& prompts);

}  // namespace unival

#endif  // UNIVAL_APP_PROMPTS_COMMANDS_H_

// unival: sensor_command.h - the command `fake-sensor` of `unival data`.
#ifndef UNIVAL_EXAMPLES_SENSOR_SENSOR_COMMAND_H_
#define UNIVAL_EXAMPLES_SENSOR_SENSOR_COMMAND_H_

#include "app/options.h"

namespace unival::sensor {

void AddSensorCommand(Command& data);

}  // namespace unival::sensor

#endif  // UNIVAL_EXAMPLES_SENSOR_SENSOR_COMMAND_H_

// unival: data_import.h - the command `unival data import`.
#ifndef UNIVAL_APP_DATA_IMPORT_H_
#define UNIVAL_APP_DATA_IMPORT_H_

#include "app/options.h"

namespace unival {

void AddDataImport(Command& data);

}  // namespace unival

#endif  // UNIVAL_APP_DATA_IMPORT_H_

// unival: modalities/io/item_orientation.h - how the picture of an AVIF file is turned.
#ifndef UNIVAL_MODALITIES_IO_ITEM_ORIENTATION_H_
#define UNIVAL_MODALITIES_IO_ITEM_ORIENTATION_H_

#include "modalities/io/byte_reader.h"
#include "modalities/io/orientation.h"

namespace unival {

// What the properties "irot" and "imir" of the primary item say together (ISO/IEC 23008-12, 6.5.10
// and 6.5.12), in the order in which the file lists them. kUpright for a file without them, without
// items, and for a damaged one. EXIF data of such a file turn nothing: the properties are what the
// format goes by.
Orientation ItemOrientation(const ByteReader& reader);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IO_ITEM_ORIENTATION_H_

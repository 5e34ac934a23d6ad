"""The version of the product."""

VERSION = "0.1.0"

# What programs that link libunival.so ask for: while the first number is 0, the interface may change with the second.
SO_VERSION = "0.1"

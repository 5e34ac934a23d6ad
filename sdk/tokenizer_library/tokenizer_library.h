/* unival: tokenizer_library.h
 *
 * What a shared object that wraps a tokenizer library offers to the host: one exported function
 * that returns a table. No C++ type, exception or allocator crosses this border, so the wrapped
 * library may carry its own copies of anything.
 *
 *   const UnivalTokenizerLibrary* library = unival_tokenizer_library();
 *   UnivalTextModel* model = NULL;
 *   char error[UNIVAL_TOKENIZER_ERROR_SIZE];
 *   if (library->open(bytes, size, &model, error) != UNIVAL_TOKENIZER_OK) puts(error);
 *
 * Threads: every function may be called concurrently, also on one model, except `close` (last call
 * on its model). Errors: functions that return int give UNIVAL_TOKENIZER_OK or another code and
 * then fill `error` (UNIVAL_TOKENIZER_ERROR_SIZE bytes, always ended by a zero).
 */
#ifndef UNIVAL_SDK_TOKENIZER_LIBRARY_TOKENIZER_LIBRARY_H_
#define UNIVAL_SDK_TOKENIZER_LIBRARY_TOKENIZER_LIBRARY_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNIVAL_TOKENIZER_LIBRARY_VERSION 1
#define UNIVAL_TOKENIZER_LIBRARY_SYMBOL "unival_tokenizer_library"
#define UNIVAL_TOKENIZER_ERROR_SIZE 512

enum {
  UNIVAL_TOKENIZER_OK = 0,
  UNIVAL_TOKENIZER_INVALID = 1, /* bad argument or bad file */
  UNIVAL_TOKENIZER_FAILED = 2,  /* anything else */
  UNIVAL_TOKENIZER_SPACE = 3    /* `encode`: more tokens than `capacity`; `count` says how many */
};

/* What a piece stands for. */
enum {
  UNIVAL_PIECE_TEXT = 0,    /* its bytes, U+2581 standing for a space */
  UNIVAL_PIECE_BYTE = 1,    /* one byte, spelled "<0x41>" */
  UNIVAL_PIECE_UNKNOWN = 2, /* text outside the vocabulary */
  UNIVAL_PIECE_CONTROL = 3  /* no text: begin, end, unused */
};

typedef struct UnivalTextModel UnivalTextModel;

typedef struct UnivalTokenizerTraining {
  const char* corpus_path;    /* UTF-8, one sentence per line */
  int32_t vocabulary_size;    /* upper bound, including `symbols` */
  const char* const* symbols; /* pieces that are never split */
  size_t symbol_count;
} UnivalTokenizerTraining;

typedef struct UnivalTokenizerLibrary {
  uint32_t version;     /* UNIVAL_TOKENIZER_LIBRARY_VERSION */
  uint32_t struct_size; /* bytes of this struct as the library knows it */
  const char* name;     /* "sentencepiece" */

  /* `bytes` are copied. The caller owns *model and gives it back with `close`. */
  int (*open)(const void* bytes, size_t size, UnivalTextModel** model, char* error);
  void (*close)(UnivalTextModel* model);

  int32_t (*piece_count)(const UnivalTextModel* model);
  /* `id` in [0, piece_count). *bytes belongs to the model and is not ended by a zero. Returns
   * UNIVAL_PIECE_*. */
  int (*piece)(const UnivalTextModel* model, int32_t id, const char** bytes, size_t* size);

  int (*encode)(const UnivalTextModel* model, const char* text, size_t size, int32_t* ids,
                size_t capacity, size_t* count, char* error);

  /* Trains a model and writes it to `output_path`. The same corpus gives the same bytes. */
  int (*train)(const UnivalTokenizerTraining* training, const char* output_path, char* error);
} UnivalTokenizerLibrary;

/* The only exported symbol. The table lives as long as the shared object. */
typedef const UnivalTokenizerLibrary* (*UnivalTokenizerLibraryFunction)(void);

#ifdef __cplusplus
}
#endif

#endif /* UNIVAL_SDK_TOKENIZER_LIBRARY_TOKENIZER_LIBRARY_H_ */

/* unival: unival_plugin.h
 *
 * Tier 2: the C interface between a plugin and the host. A plugin may be written in C, or in any
 * language that can export a C function. A plugin built with this header loads into every host of
 * the same ABI major, independent of the compiler, C++ library or libtorch of both. C++ authors use
 * sdk/cpp/unival_plugin.hpp, which wraps this interface.
 *
 *   // Read from the file before it is opened:
 *   UNIVAL_PLUGIN_RECORD("mel_stats", "1.0.0", "");
 *   static const UnivalModality* const kModalities[] = {&kMelStats};
 *   UNIVAL_PLUGIN_EXPORT const UnivalPlugin* unival_plugin_v0(const UnivalHost* host) {
 *     static const UnivalPlugin kPlugin = {.struct_size = UNIVAL_SIZE(UnivalPlugin), ...};
 *     return &kPlugin;
 *   }
 *
 * Rules for everything below; docs/abi_policy.md gives the reasons.
 *
 * - Ownership. The side that allocated memory frees it: tensors by their DLPack deleter, objects by
 *   `destroy`. An argument is borrowed for the duration of the call unless its comment says
 *   otherwise. Texts are UTF-8 with a size, not ended by a zero.
 * - Errors. Functions return 0, or an error code with the number of absl::StatusCode; before that,
 *   they tell the host the reason with `host->fail`. On an error, out-parameters stay unchanged and
 *   the plugin has freed what it made. No exception or longjmp may cross the boundary, and no
 *   function may abort. Functions that free something return nothing.
 * - Threads. The host never makes two calls at once to `encode` of one object; everything else that
 *   takes a const object may be called concurrently. Different objects may be used at the same
 *   time, and from different threads over time, so use no thread-locals. `create` and `destroy` are
 *   never called at once in one process. Threads that the plugin starts must end before the call
 *   returns, or be joined in `destroy`.
 * - Sizes. Every struct begins with `struct_size`, which the side that fills the struct sets. New
 *   fields are only added at the end. Read a field only when UNIVAL_HAS(pointer, Type, field) is
 *   true. Arrays of structs are arrays of pointers, so that the structs may grow. Fields marked
 *   "optional" may be null or zero; their comment says what this means.
 * - Lifetime. What `unival_plugin_v0` returns, and all that it points to, lives as long as the
 *   process: plugins are never unloaded.
 * - Trust. A plugin has the rights of the process; nothing here is a sandbox.
 */
#ifndef UNIVAL_SDK_ABI_UNIVAL_PLUGIN_H_
#define UNIVAL_SDK_ABI_UNIVAL_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#include "sdk/abi/dlpack/dlpack.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UNIVAL_ABI_MAJOR 0
#define UNIVAL_ABI_MINOR 2

/* To support older hosts, define UNIVAL_TARGET_MINOR before including this file: the oldest minor
 * that the plugin must run on. Everything newer is then not declared, so using it does not
 * compile. */
#ifndef UNIVAL_TARGET_MINOR
#define UNIVAL_TARGET_MINOR UNIVAL_ABI_MINOR
#endif
#if UNIVAL_TARGET_MINOR < 1 || UNIVAL_TARGET_MINOR > UNIVAL_ABI_MINOR
#error "UNIVAL_TARGET_MINOR must be 1 or 2 with this header"
#endif

#define UNIVAL_SIZE(type) ((uint64_t)sizeof(type))
#define UNIVAL_HAS(pointer, type, field) \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

/* ---- The record in the file ------------------------------------------------------------------ */

/* In the ELF section ".unival_plugin"; the host reads it without running the plugin. The layout
 * never changes within one layout_version. Texts end with a zero byte. */
typedef struct UnivalBuildInfo {
  char magic[8];           /* "UNIVALPL" */
  uint32_t layout_version; /* 1 */
  uint32_t tier;           /* 2 */
  uint32_t abi_major;
  uint32_t abi_minor;
  char id[64];          /* [a-z][a-z0-9_]{1,47} */
  char version[32];     /* "1.2.0", for people */
  char arch[32];        /* UNIVAL_PLUGIN_ARCH */
  char properties[512]; /* "key=value\n" pairs, see UNIVAL_PLUGIN_RECORD */
} UnivalBuildInfo;

#if defined(__x86_64__)
#define UNIVAL_PLUGIN_ARCH "x86_64"
#elif defined(__aarch64__)
#define UNIVAL_PLUGIN_ARCH "aarch64"
#else
#define UNIVAL_PLUGIN_ARCH "other"
#endif

/* Keeps an object that nothing refers to, even when the linker removes unused sections. */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define UNIVAL_KEEP __attribute__((used, retain))
#endif
#endif
#ifndef UNIVAL_KEEP
#define UNIVAL_KEEP __attribute__((used))
#endif

/* `properties`: "" or UNIVAL_ISOLATED. */
/* clang-format off */
#define UNIVAL_PLUGIN_RECORD(id, version, properties)                                          \
  UNIVAL_KEEP __attribute__((section(".unival_plugin")))                                        \
  static const UnivalBuildInfo unival_plugin_record = {                                         \
      {'U', 'N', 'I', 'V', 'A', 'L', 'P', 'L'}, 1, 2, UNIVAL_ABI_MAJOR, UNIVAL_TARGET_MINOR,   \
      id, version, UNIVAL_PLUGIN_ARCH, properties}
/* clang-format on */

/* The plugin contains its own copies of libraries that the host has in other versions. The host
 * opens it so that it uses its own copies. */
#define UNIVAL_ISOLATED "isolated=1\n"

/* Marks the one exported function. */
#define UNIVAL_PLUGIN_EXPORT __attribute__((visibility("default")))

/* ---- Values ---------------------------------------------------------------------------------- */

typedef struct UnivalStr {
  const char* data; /* may be null when size is 0 */
  uint64_t size;
} UnivalStr;

typedef struct UnivalBytes {
  const uint8_t* data;
  uint64_t size;
} UnivalBytes;

/* A tensor with ownership: its owner frees it with its deleter, from any thread. DLPack 1.x. */
typedef struct DLManagedTensorVersioned UnivalTensor;

typedef int32_t UnivalCode;
#define UNIVAL_OK 0
#define UNIVAL_UNKNOWN 2
#define UNIVAL_INVALID_ARGUMENT 3
#define UNIVAL_NOT_FOUND 5
#define UNIVAL_RESOURCE_EXHAUSTED 8
#define UNIVAL_FAILED_PRECONDITION 9
#define UNIVAL_OUT_OF_RANGE 11
#define UNIVAL_UNIMPLEMENTED 12
#define UNIVAL_INTERNAL 13

/* An object of the plugin. The host only passes the pointer back to the plugin. */
typedef struct UnivalSelf UnivalSelf;

/* Receives texts or numbers from a function; the host copies what is appended. Valid only during
 * the call that it was given to, on the calling thread. `append` returns 0 or RESOURCE_EXHAUSTED;
 * the plugin must return that code. */
typedef struct UnivalTextSink {
  uint64_t struct_size;
  void* ctx;
  UnivalCode (*append)(void* ctx, UnivalStr text);
} UnivalTextSink;

typedef struct UnivalIdSink {
  uint64_t struct_size;
  void* ctx;
  UnivalCode (*append)(void* ctx, const int64_t* ids, uint64_t count);
} UnivalIdSink;

/* ---- The host -------------------------------------------------------------------------------- */

#define UNIVAL_LOG_INFO 0
#define UNIVAL_LOG_WARNING 1
#define UNIVAL_LOG_ERROR 2

/* What the host offers. Lives as long as the process; all functions may be called from any
 * thread. */
typedef struct UnivalHost {
  uint64_t struct_size;
  uint32_t abi_major; /* of the host */
  uint32_t abi_minor;
  void* ctx;

  /* One line for the user's log. */
  void (*log)(void* ctx, int32_t severity, UnivalStr message);

  /* Tells the host why the current call on this thread fails. Copies the message and returns
   * `code`:
   *   return host->fail(host->ctx, UNIVAL_INVALID_ARGUMENT, text); */
  UnivalCode (*fail)(void* ctx, UnivalCode code, UnivalStr message);

  /* Features that are not part of the stable interface, by name ("name/1"). Null when the host has
   * no feature of that name. */
  void* (*extension)(void* ctx, UnivalStr name);

#if UNIVAL_TARGET_MINOR >= 2
  /* Since 0.2. A contiguous CPU tensor of zeros, 64-byte aligned, for `out` of preprocess and
   * encode. The plugin owns it until it has returned it; the deleter frees it. INVALID_ARGUMENT for
   * a negative size or more than 8 dimensions. */
  UnivalCode (*new_tensor)(void* ctx, DLDataType type, int32_t dimensions, const int64_t* shape,
                           UnivalTensor** out);
#endif
} UnivalHost;

/* ---- Modality: media to features ----------------------------------------------------------------
 * B rows, N positions of one row, F numbers per position. The host does everything after that: the
 * linear connection to the language model, position tables, batching, threads, checkpoints. A
 * modality of this tier has no trained weights. */

/* The kind of input that preprocess receives. */
#define UNIVAL_INPUT_BYTES 0  /* the bytes of the media file */
#define UNIVAL_INPUT_RGB8 1   /* image, uint8 [H, W, 3], row 0 at the top */
#define UNIVAL_INPUT_GRAY8 2  /* image, uint8 [H, W, 1] */
#define UNIVAL_INPUT_GRAY16 3 /* image, int32 [H, W, 1] with values 0..65535 */
#define UNIVAL_INPUT_AUDIO 4  /* float32 [C, n] in [-1, 1], with its sample rate */

#define UNIVAL_POSITION_NONE 0
#define UNIVAL_POSITION_SEQUENCE 1 /* int64 [B, N], 0-based */
#define UNIVAL_POSITION_GRID 2     /* int64 [B, N, 2], (row, column), row 0 at the top */

/* Options of a modality from the model's manifest or a plan. */
typedef struct UnivalModalityConfig {
  uint64_t struct_size;
  UnivalStr id; /* the model's name for the modality */
  DLDevice device;
  const UnivalStr* option_names; /* sorted; return an error for unknown names */
  const UnivalStr* option_values;
  uint64_t option_count;
} UnivalModalityConfig;

/* Describes a modality. Filled by `describe`; texts live as long as the object. */
typedef struct UnivalModalityInfo {
  uint64_t struct_size;  /* set by the host; write only fields inside it */
  int64_t feature_dim;   /* F */
  int64_t max_positions; /* upper bound of N; 0: unbounded */
  int32_t position_kind; /* UNIVAL_POSITION_... */
  int32_t input_kind;    /* UNIVAL_INPUT_... */
  /* names the meaning of the features, "mel-stats/1"; stored with the adapter trained on them */
  UnivalStr feature_schema;
  /* optional: must change whenever preprocess gives other tensors; empty: id and version */
  UnivalStr preprocessing;
} UnivalModalityInfo;

/* One media item. */
typedef struct UnivalSample {
  uint64_t struct_size;
  UnivalStr name;         /* its name in messages */
  UnivalBytes bytes;      /* UNIVAL_INPUT_BYTES, never empty */
  const DLTensor* media;  /* the other kinds: contiguous, CPU, read-only; null for bytes */
  int64_t sample_rate_hz; /* UNIVAL_INPUT_AUDIO */
  /* not 0: the output may vary as a pure function of `seed`; 0: it depends on the media alone */
  int32_t augment;
  int32_t reserved;
  uint64_t seed;
} UnivalSample;

#define UNIVAL_MAX_TENSORS 8

/* Tensors of one sample. `items` has room for UNIVAL_MAX_TENSORS pointers. When the function
 * returns 0, the host owns the tensors that are set and calls each deleter once, on any thread. */
typedef struct UnivalTensors {
  uint64_t struct_size;
  uint64_t count; /* set by the plugin, 1..UNIVAL_MAX_TENSORS */
  UnivalTensor** items;
} UnivalTensors;

/* Input and output of encode: a batch, and its features. */
typedef struct UnivalEncodeCall {
  uint64_t struct_size;
  /* [sample_count * tensors_per_sample], row by row; contiguous, CPU, read-only */
  const DLTensor* const* inputs;
  uint64_t sample_count; /* B, at least 1 */
  uint64_t tensors_per_sample;
  uint64_t stream; /* 0: all work must be complete before encode returns */
  /* Set by the plugin. When encode returns 0, the host owns them and calls each deleter once. */
  UnivalTensor* features;  /* float32 [B, N, F] */
  UnivalTensor* padding;   /* optional: bool or uint8 [B, N], not 0 = padding; null: no padding */
  UnivalTensor* positions; /* as position_kind says; null for NONE */
} UnivalEncodeCall;

typedef struct UnivalModality {
  uint64_t struct_size;
  UnivalStr id;      /* the registered type, [a-z][a-z0-9_]{1,47} */
  UnivalStr summary; /* optional: one line for listings */
  UnivalCode (*create)(const UnivalHost* host, const UnivalModalityConfig* config,
                       UnivalSelf** out);
  void (*destroy)(UnivalSelf* self);
  /* Gives the same result on every call. */
  UnivalCode (*describe)(const UnivalSelf* self, UnivalModalityInfo* out);
  /* Decodes and normalises one sample. Concurrent, deterministic. Every sample gives the same
   * number of tensors. INVALID_ARGUMENT: the sample is damaged, or this modality does not accept
   * it; training skips it and counts it. Any other code means that the modality itself does not
   * work, and ends the run. */
  UnivalCode (*preprocess)(const UnivalSelf* self, const UnivalSample* sample, UnivalTensors* out);
  /* Row i must not depend on the other rows. One call at a time per object. */
  UnivalCode (*encode)(UnivalSelf* self, UnivalEncodeCall* call);
} UnivalModality;

/* ---- Tokenizer: text to local indices of one vocabulary block, and back ---------------------- */

typedef struct UnivalTokenizerConfig {
  uint64_t struct_size;
  UnivalStr directory; /* folder with the tokenizer's files */
  UnivalStr block;     /* its vocabulary block */
} UnivalTokenizerConfig;

/* How to train a tokenizer of this type. */
typedef struct UnivalTokenizerTraining {
  uint64_t struct_size;
  UnivalStr corpus;         /* path: UTF-8, one sentence per line */
  UnivalStr output;         /* path of the file to write */
  int64_t vocabulary_size;  /* upper bound, with `symbols` */
  const UnivalStr* symbols; /* pieces that are never split */
  uint64_t symbol_count;
} UnivalTokenizerTraining;

/* All functions of an object may be called concurrently. */
typedef struct UnivalTokenizer {
  uint64_t struct_size;
  UnivalStr id;
  UnivalStr summary; /* optional */
  UnivalCode (*create)(const UnivalHost* host, const UnivalTokenizerConfig* config,
                       UnivalSelf** out);
  void (*destroy)(UnivalSelf* self);
  /* Number of local indices. */
  int64_t (*size)(const UnivalSelf* self);
  /* The surface form of a local index in [0, size). The host hashes all surface forms in order;
   * tokenizers with different hashes do not share embedding rows. */
  UnivalCode (*surface)(const UnivalSelf* self, int64_t index, const UnivalTextSink* out);
  /* The local indices of `text`; -1 means text outside the vocabulary. Empty text gives no
   * index. */
  UnivalCode (*encode)(const UnivalSelf* self, UnivalStr text, const UnivalIdSink* out);
  /* OUT_OF_RANGE names an index outside [0, size). */
  UnivalCode (*decode)(const UnivalSelf* self, const int64_t* ids, uint64_t count,
                       const UnivalTextSink* out);
#if UNIVAL_TARGET_MINOR >= 2
  /* Since 0.2, optional. The same corpus gives the same bytes. */
  UnivalCode (*train)(const UnivalHost* host, const UnivalTokenizerTraining* training);
#endif
} UnivalTokenizer;

/* ---- Task: records to prompt and target, generated tokens to an answer ----------------------- */

/* The model's vocabulary. Valid until `destroy` of the task that received it. All functions may be
 * called concurrently. */
typedef struct UnivalVocabulary {
  uint64_t struct_size;
  const void* ctx;
  int64_t size; /* one past the largest global id */
  int64_t bos, pad, eos, unk, mask;
  /* Number of local indices; NOT_FOUND for an unknown or retired block. */
  UnivalCode (*block_size)(const void* ctx, UnivalStr block, int64_t* out);
  UnivalCode (*global_id)(const void* ctx, UnivalStr block, int64_t index, int64_t* out);
  /* Appends the block's name to `block`. */
  UnivalCode (*identify)(const void* ctx, int64_t global_id, const UnivalTextSink* block,
                         int64_t* index);
  UnivalCode (*encode_text)(const void* ctx, UnivalStr text, const UnivalIdSink* out);
  UnivalCode (*decode_text)(const void* ctx, const int64_t* ids, uint64_t count,
                            const UnivalTextSink* out);
} UnivalVocabulary;

#define UNIVAL_FIELD_TEXT 0
#define UNIVAL_FIELD_NUMBERS 1 /* one number, or a list: boxes, codes */
#define UNIVAL_FIELD_TEXTS 2
/* Its name is passed to UnivalExampleSink.add_media; the plugin does not see its bytes. */
#define UNIVAL_FIELD_MEDIA 3

typedef struct UnivalField {
  uint64_t struct_size;
  UnivalStr name;
  int32_t kind;
  int32_t reserved;
  const UnivalStr* texts; /* TEXT: one, TEXTS: any number */
  uint64_t text_count;
  const double* numbers;
  uint64_t number_count;
} UnivalField;

/* One record of a data source. */
typedef struct UnivalRecord {
  uint64_t struct_size;
  UnivalStr key;                    /* its name in messages */
  const UnivalField* const* fields; /* sorted by name */
  uint64_t field_count;
} UnivalRecord;

/* Describes a task. Filled by `describe`; everything lives as long as the object. */
typedef struct UnivalTaskInfo {
  uint64_t struct_size;        /* set by the host */
  const UnivalStr* modalities; /* ids that it needs; none: text only */
  uint64_t modality_count;
  const UnivalStr* blocks; /* vocabulary blocks that it needs */
  uint64_t block_count;
  const UnivalStr* columns; /* record columns that training needs */
  uint64_t column_count;
  const UnivalStr* prediction_columns;
  uint64_t prediction_column_count;
  const UnivalStr* media_columns; /* the columns above that hold media */
  uint64_t media_column_count;
  int32_t beam;       /* 0 and 1: greedy */
  int32_t max_tokens; /* 0: the host's default */
} UnivalTaskInfo;

#define UNIVAL_MODE_TRAINING 0   /* random choices use the seed; a target is required */
#define UNIVAL_MODE_PREDICTION 1 /* no random choices; the target may be absent */

#define UNIVAL_TOKENS_SOURCE 0 /* <s> prompt </s> */
#define UNIVAL_TOKENS_PREFIX 1 /* forced decoder tokens after <s>, without loss */
#define UNIVAL_TOKENS_TARGET 2 /* without <s>, with </s> */

/* Receives the parts of an example from make_example. Tokens are global ids. Each kind may be set
 * once. */
typedef struct UnivalExampleSink {
  uint64_t struct_size;
  void* ctx;
  /* Adds the media of a record's column as the next item of the encoder's input. NOT_FOUND: no such
   * column; INVALID_ARGUMENT: the column is not media. */
  UnivalCode (*add_media)(void* ctx, UnivalStr modality, UnivalStr column);
  UnivalCode (*set_tokens)(void* ctx, int32_t kind, const int64_t* ids, uint64_t count);
  /* Adds one answer to the closed set of answers, without </s>. */
  UnivalCode (*add_answer)(void* ctx, const int64_t* ids, uint64_t count);
  /* Allows generation to produce the tokens [begin, end). </s> is always allowed. */
  UnivalCode (*allow)(void* ctx, int64_t begin, int64_t end);
} UnivalExampleSink;

/* The answer that interpret returned, as metrics receive it. */
typedef struct UnivalAnswer {
  uint64_t struct_size;
  UnivalStr text;       /* given to metrics */
  const int64_t* codes; /* given to metrics */
  uint64_t code_count;
  double box[4]; /* x0, y0, x1, y1 in [0, 1] of width and height; valid when has_box is not 0 */
  int32_t has_box;
  int32_t reserved;
  double score;
} UnivalAnswer;

typedef struct UnivalAnswerSink {
  uint64_t struct_size;
  const UnivalTextSink* text;
  const UnivalIdSink* codes;
  double box[4];   /* set by the plugin with has_box */
  int32_t has_box; /* 0 before the call */
  int32_t reserved;
  double score; /* before the call: the score of the hypothesis */
} UnivalAnswerSink;

/* Accumulates over answers; one thread at a time. */
typedef struct UnivalMetric UnivalMetric;

typedef struct UnivalMetricSink {
  uint64_t struct_size;
  void* ctx;
  UnivalCode (*set)(void* ctx, UnivalStr name, double value); /* accuracies in [0, 1] */
} UnivalMetricSink;

/* Functions with a const object may be called concurrently. */
typedef struct UnivalTask {
  uint64_t struct_size;
  UnivalStr id;
  UnivalStr summary; /* optional */
  UnivalCode (*create)(const UnivalHost* host, const UnivalVocabulary* vocabulary,
                       UnivalSelf** out);
  void (*destroy)(UnivalSelf* self);
  UnivalCode (*describe)(const UnivalSelf* self, UnivalTaskInfo* out);
  /* NOT_FOUND names a missing column, INVALID_ARGUMENT a value of the wrong kind. */
  UnivalCode (*make_example)(const UnivalSelf* self, const UnivalRecord* record, int32_t mode,
                             uint64_t seed, const UnivalExampleSink* out);
  /* `ids`: the best hypothesis without <s>, prefix and </s>. */
  UnivalCode (*interpret)(const UnivalSelf* self, const UnivalRecord* record, const int64_t* ids,
                          uint64_t count, UnivalAnswerSink* out);
  UnivalCode (*metric_create)(const UnivalSelf* self, UnivalMetric** out);
  void (*metric_destroy)(UnivalMetric* metric);
  /* `answer` null: the record could not be decoded and counts as wrong. */
  UnivalCode (*metric_add)(UnivalMetric* metric, const UnivalRecord* record,
                           const UnivalAnswer* answer);
  UnivalCode (*metric_result)(const UnivalMetric* metric, const UnivalMetricSink* out);
} UnivalTask;

/* ---- The plugin ------------------------------------------------------------------------------ */

/* A block of tokens that the plugin uses. Declaring it does not change any model; only `unival
 * vocab add` does. */
typedef struct UnivalTokenBlock {
  uint64_t struct_size;
  UnivalStr id; /* "<owner>.<name>", both [a-z][a-z0-9_]{1,47}; "core." is reserved for the host */
  int64_t size; /* local indices [0, size) */
  /* optional: hash (64 hex digits) of the meaning of the indices; a different hash means a
   * different block */
  UnivalStr content_hash;
} UnivalTokenBlock;

typedef struct UnivalPlugin {
  uint64_t struct_size;
  uint32_t abi_major;      /* UNIVAL_ABI_MAJOR */
  uint32_t abi_minor;      /* UNIVAL_TARGET_MINOR */
  uint32_t min_host_minor; /* older hosts refuse the plugin and name both numbers; 0: any host */
  uint32_t reserved;
  UnivalStr id;      /* as in the record */
  UnivalStr version; /* as in the record */
  const UnivalModality* const* modalities;
  uint64_t modality_count;
  const UnivalTokenizer* const* tokenizers;
  uint64_t tokenizer_count;
  const UnivalTask* const* tasks;
  uint64_t task_count;
  const UnivalTokenBlock* const* token_blocks;
  uint64_t token_block_count;
} UnivalPlugin;

/* The only exported function; its name contains the ABI major. Returns null, after host->fail, when
 * the plugin cannot run in this host. */
#define UNIVAL_PLUGIN_SYMBOL "unival_plugin_v0"
UNIVAL_PLUGIN_EXPORT const UnivalPlugin* unival_plugin_v0(const UnivalHost* host);

#ifdef __cplusplus
}
#endif

#endif /* UNIVAL_SDK_ABI_UNIVAL_PLUGIN_H_ */

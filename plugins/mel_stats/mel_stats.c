/* A modality for sound in plain C, without a framework or C++. The features are the log energy at
 * 24 mel-spaced frequencies for each block of 1024 samples. Needs a host of ABI 0.2, because it
 * uses new_tensor. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/abi/unival_plugin.h"

UNIVAL_PLUGIN_RECORD("mel_stats", "1.0.0", "");

enum { kBands = 24, kFrame = 1024, kMaxFrames = 2048 };
#define STR(literal) \
  { literal, sizeof(literal) - 1 }
static const double kPi = 3.14159265358979323846;

struct UnivalSelf {
  const UnivalHost* host;
};

static UnivalCode Fail(const UnivalHost* host, UnivalCode code, const char* message) {
  const UnivalStr text = {message, strlen(message)};
  return host->fail(host->ctx, code, text);
}

static UnivalCode Create(const UnivalHost* host, const UnivalModalityConfig* config,
                         UnivalSelf** out) {
  if (config->option_count > 0)
    return Fail(host, UNIVAL_INVALID_ARGUMENT, "mel_stats has no options");
  UnivalSelf* self = malloc(sizeof(*self));
  if (self == NULL) return Fail(host, UNIVAL_RESOURCE_EXHAUSTED, "out of memory");
  self->host = host;
  *out = self;
  return UNIVAL_OK;
}

static void Destroy(UnivalSelf* self) { free(self); }

static UnivalCode Describe(const UnivalSelf* self, UnivalModalityInfo* out) {
  const UnivalStr schema = STR("mel-stats-24/1"), preprocessing = STR("frames of 1024/1");
  (void)self;
  out->feature_dim = kBands;
  out->max_positions = kMaxFrames;
  out->position_kind = UNIVAL_POSITION_SEQUENCE;
  out->input_kind = UNIVAL_INPUT_AUDIO;
  out->feature_schema = schema;
  out->preprocessing = preprocessing;
  return UNIVAL_OK;
}

/* Frequency of a band in Hz: equal steps in mel from 50 Hz to just below half the sample rate. */
static double BandHz(int band, double sample_rate_hz) {
  const double low = 2595 * log10(1 + 50.0 / 700),
               high = 2595 * log10(1 + 0.45 * sample_rate_hz / 700);
  return 700 * (pow(10, (low + (high - low) * band / (kBands - 1)) / 2595) - 1);
}

/* Log energy of `samples` at one frequency (Goertzel's recurrence). */
static float LogEnergy(const float* samples, int64_t count, double hz, double sample_rate_hz) {
  const double coefficient = 2 * cos(2 * kPi * hz / sample_rate_hz);
  double previous = 0, before = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double value = samples[i] + coefficient * previous - before;
    before = previous;
    previous = value;
  }
  const double energy = previous * previous + before * before - coefficient * previous * before;
  return (float)log(1e-6 + fmax(energy, 0) / (double)count);
}

static void MixDown(const DLTensor* media, float* mono) {
  const float* samples = (const float*)((const char*)media->data + media->byte_offset);
  const int64_t channels = media->shape[0], count = media->shape[1];
  for (int64_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int64_t channel = 0; channel < channels; ++channel) sum += samples[channel * count + i];
    mono[i] = (float)(sum / (double)channels);
  }
}

/* [frames, bands] of one clip. */
static UnivalCode Preprocess(const UnivalSelf* self, const UnivalSample* sample,
                             UnivalTensors* out) {
  const UnivalHost* host = self->host;
  const int64_t count = sample->media->shape[1];
  int64_t frames = (count + kFrame - 1) / kFrame;
  if (count < 1 || sample->sample_rate_hz < 1)
    return Fail(host, UNIVAL_INVALID_ARGUMENT, "holds no samples");
  if (frames > kMaxFrames) frames = kMaxFrames;
  const int64_t shape[] = {frames, kBands};
  const DLDataType type = {kDLFloat, 32, 1};
  UnivalTensor* tensor = NULL;
  const UnivalCode code = host->new_tensor(host->ctx, type, 2, shape, &tensor);
  if (code != UNIVAL_OK) return code;
  float* mono = malloc((size_t)count * sizeof(float));
  if (mono == NULL) {
    tensor->deleter(tensor);
    return Fail(host, UNIVAL_RESOURCE_EXHAUSTED, "out of memory");
  }
  MixDown(sample->media, mono);
  float* features = tensor->dl_tensor.data;
  const double rate = (double)sample->sample_rate_hz;
  for (int64_t frame = 0; frame < frames; ++frame) {
    const int64_t begin = frame * kFrame, length = count - begin < kFrame ? count - begin : kFrame;
    for (int band = 0; band < kBands; ++band) {
      features[frame * kBands + band] = LogEnergy(mono + begin, length, BandHz(band, rate), rate);
    }
  }
  free(mono);
  out->items[0] = tensor;
  out->count = 1;
  return UNIVAL_OK;
}

/* Frees the tensors that were made for a batch. */
static void Release(UnivalTensor** tensors, int count) {
  for (int i = 0; i < count; ++i) {
    if (tensors[i] != NULL) tensors[i]->deleter(tensors[i]);
  }
}

static void FillRow(const DLTensor* input, int64_t row, int64_t longest,
                    UnivalTensor* const* made) {
  const int64_t frames = input->shape[0];
  float* values = (float*)made[0]->dl_tensor.data + row * longest * kBands;
  uint8_t* padding = (uint8_t*)made[1]->dl_tensor.data + row * longest;
  int64_t* positions = (int64_t*)made[2]->dl_tensor.data + row * longest;
  memcpy(values, (const char*)input->data + input->byte_offset,
         (size_t)(frames * kBands) * sizeof(float));
  for (int64_t n = 0; n < longest; ++n) {
    padding[n] = n >= frames;
    positions[n] = n;
  }
}

static UnivalCode Encode(UnivalSelf* self, UnivalEncodeCall* call) {
  const UnivalHost* host = self->host;
  const int64_t rows = (int64_t)call->sample_count;
  int64_t longest = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (call->inputs[row]->shape[0] > longest) longest = call->inputs[row]->shape[0];
  }
  const int64_t shape[] = {rows, longest, kBands};
  const DLDataType types[] = {{kDLFloat, 32, 1}, {kDLBool, 8, 1}, {kDLInt, 64, 1}};
  UnivalTensor* made[3] = {NULL, NULL, NULL};
  for (int i = 0; i < 3; ++i) {
    const UnivalCode code = host->new_tensor(host->ctx, types[i], i == 0 ? 3 : 2, shape, &made[i]);
    if (code != UNIVAL_OK) {
      Release(made, 3);
      return code;
    }
  }
  for (int64_t row = 0; row < rows; ++row) FillRow(call->inputs[row], row, longest, made);
  call->features = made[0];
  call->padding = made[1];
  call->positions = made[2];
  return UNIVAL_OK;
}

static const UnivalModality kModality = {sizeof(UnivalModality),
                                         STR("mel_stats"),
                                         STR("log energies of sound at mel frequencies"),
                                         &Create,
                                         &Destroy,
                                         &Describe,
                                         &Preprocess,
                                         &Encode};
static const UnivalModality* const kModalities[] = {&kModality};
static const UnivalPlugin kPlugin = {.struct_size = sizeof(UnivalPlugin),
                                     .abi_major = UNIVAL_ABI_MAJOR,
                                     .abi_minor = UNIVAL_TARGET_MINOR,
                                     .min_host_minor = 2,
                                     .id = STR("mel_stats"),
                                     .version = STR("1.0.0"),
                                     .modalities = kModalities,
                                     .modality_count = 1};

UNIVAL_PLUGIN_EXPORT const UnivalPlugin* unival_plugin_v0(const UnivalHost* host) {
  (void)host;
  return &kPlugin;
}

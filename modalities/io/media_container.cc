#include "modalities/io/media_container.h"

extern "C" {
#include <libavutil/crc.h>
}

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "modalities/io/limits.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/truncated_media.h"

namespace unival {
namespace {

constexpr int kIoBufferBytes = 32 * 1024;
// What a demuxer may read before the first packet: tables of a million samples are less.
constexpr int64_t kMaxHeadBytes = int64_t{32} << 20;
constexpr int kMaxStreams = 64;

// What a container opens besides itself.
int RefuseToOpen(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

// No single block may be larger than decoding in all. Of the process: the largest asked for counts.
void LimitBlocks(const DecoderOptions& options) {
  static std::mutex mutex;
  static int64_t most = 0;
  const std::lock_guard<std::mutex> lock(mutex);
  const int64_t wanted = std::min<int64_t>(DecodingMemory(options), INT32_MAX);
  if (wanted <= most) return;
  most = wanted;
  av_max_alloc(static_cast<size_t>(most));
}

std::string KindsOf(const AVFormatContext& format) {
  std::string kinds;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const char* kind = av_get_media_type_string(format.streams[i]->codecpar->codec_type);
    absl::StrAppend(&kinds, kinds.empty() ? "" : " and ", kind == nullptr ? "other data" : kind);
  }
  return kinds.empty() ? "no streams" : kinds;
}

std::string CodecsOf(const Container& container) {
  return absl::StrCat(absl::StrJoin(container.video, ","), ",",
                      absl::StrJoin(container.audio, ","));
}

// Tags and heads that stand between the clips of a file that was joined from several: the demuxer
// takes them for sound, players step over them.
absl::string_view BytesOf(const AVPacket& packet) {
  return {reinterpret_cast<const char*>(packet.data), static_cast<size_t>(packet.size)};
}

bool IsBetweenClips(AVCodecID codec, const AVPacket& packet) {
  const absl::string_view bytes = BytesOf(packet);
  if (codec == AV_CODEC_ID_OPUS) {
    return absl::StartsWith(bytes, "OpusHead") || absl::StartsWith(bytes, "OpusTags");
  }
  if (codec != AV_CODEC_ID_MP3) return false;
  return absl::StartsWith(bytes, "ID3") || absl::StartsWith(bytes, "TAG") ||
         absl::StartsWith(bytes, "APETAGEX");
}

// The head of a frame of an MP3 (ISO/IEC 11172-3, 2.4.1.3).
bool BeginsFrame(const AVPacket& packet) {
  const absl::string_view bytes = BytesOf(packet);
  return bytes.size() > 1 && bytes[0] == '\xff' && (bytes[1] & 0xe0) == 0xe0;
}

// A frame of a FLAC ends with a checksum of all of it, which makes the checksum of both 0 (RFC
// 9639, 9.3).
bool IsWholeFlacFrame(const AVPacket& packet) {
  return av_crc(av_crc_get_table(AV_CRC_16_ANSI), 0, packet.data, packet.size) == 0;
}

// Opus is 48 kHz, and so are the samples that a packet says to leave out. Matroska may state the
// rate that the sound had before, by which its demuxer counts them.
void CountPaddingOfOpus(const AVStream& stream, const AVPacket& packet) {
  constexpr int kOpusRate = 48000, kAtEnd = 4;
  const AVCodecParameters& codec = *stream.codecpar;
  size_t size = 0;
  uint8_t* skip = av_packet_get_side_data(&packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
  if (codec.codec_id != AV_CODEC_ID_OPUS || codec.sample_rate <= 0 || skip == nullptr ||
      size < kAtEnd + sizeof(uint32_t)) {
    return;
  }
  const absl::string_view padding(reinterpret_cast<const char*>(skip) + kAtEnd, sizeof(uint32_t));
  const int64_t samples = av_rescale(static_cast<int64_t>(LittleEndian(padding, sizeof(uint32_t))),
                                     kOpusRate, codec.sample_rate);
  const std::string counted = LittleEndianBytes(samples, sizeof(uint32_t));
  std::copy(counted.begin(), counted.end(), skip + kAtEnd);
}

// A single picture in a track of its own.
bool IsCover(const AVStream& stream) {
  const AVCodecID codec = stream.codecpar->codec_id;
  return stream.nb_frames == 1 && (codec == AV_CODEC_ID_MJPEG || codec == AV_CODEC_ID_PNG);
}

// Where a stream stands among those that a player chooses from.
int Rank(const AVStream& stream) {
  return (IsCover(stream) ? 2 : 0) + ((stream.disposition & AV_DISPOSITION_DEFAULT) != 0 ? 0 : 1);
}

}  // namespace

int MediaContainer::ReadCallback(void* opaque, uint8_t* buffer, int size) {
  auto* input = static_cast<MediaContainer*>(opaque);
  if (input->may_read_ <= 0) return AVERROR(EFBIG);
  const int64_t wanted = std::clamp<int64_t>(input->end_ - input->position_, 0, size);
  const int64_t got = input->file_.reader.ReadAt(input->position_, buffer, wanted);
  if (got < 0) return AVERROR(EIO);
  if (got == 0) return AVERROR_EOF;
  input->Correct(buffer, got);
  input->may_read_ -= got;
  input->position_ += got;
  return static_cast<int>(got);
}

void MediaContainer::Correct(uint8_t* buffer, int64_t count) const {
  const std::string& bytes = correction_.bytes;
  const int64_t begin = std::max(position_, correction_.begin);
  const int64_t end =
      std::min(position_ + count, correction_.begin + static_cast<int64_t>(bytes.size()));
  if (begin >= end) return;
  std::copy(bytes.begin() + (begin - correction_.begin), bytes.begin() + (end - correction_.begin),
            buffer + (begin - position_));
}

int64_t MediaContainer::SeekCallback(void* opaque, int64_t offset, int whence) {
  auto* input = static_cast<MediaContainer*>(opaque);
  const int64_t size = input->end_ - input->begin_;
  if (whence == AVSEEK_SIZE) return size;
  int64_t base = 0;
  if (whence == SEEK_CUR) base = input->position_ - input->begin_;
  if (whence == SEEK_END) base = size;
  int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0 ||
      target > INT64_MAX - input->begin_) {
    return AVERROR(EINVAL);
  }
  input->position_ = input->begin_ + target;
  return target;
}

absl::StatusOr<std::unique_ptr<MediaContainer>> MediaContainer::Open(const EncodedMedia& file,
                                                                     const std::string& expected) {
  auto input = std::unique_ptr<MediaContainer>(new MediaContainer(file));
  input->expected_ = expected;
  const FoundContainer found = FindContainer(file.reader);
  input->begin_ = input->position_ = found.begin;
  input->end_ = found.end;
  input->container_ = found.container;
  const AVInputFormat* demuxer =
      found.container == nullptr ? nullptr : av_find_input_format(found.container->demuxer);
  if (demuxer == nullptr) {
    return input->Unexpected(
        absl::StrCat(file.reader.size(), " bytes that no accepted format fits"),
        "Check that the file is complete and is what its name says; `unival doctor` lists the "
        "formats.");
  }
  const ContainerFile checked{file.reader, file.options, expected, found.begin, found.end};
  if (found.container->check != nullptr) {
    UNIVAL_RETURN_IF_ERROR(found.container->check(checked));
  }
  if (found.container->correct != nullptr) input->correction_ = found.container->correct(checked);
  UNIVAL_RETURN_IF_ERROR(input->OpenFormat(demuxer));
  return input;
}

absl::Status MediaContainer::OpenFormat(const AVInputFormat* demuxer) {
  LimitBlocks(file_.options);
  auto* buffer = static_cast<uint8_t*>(av_malloc(kIoBufferBytes));
  io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 0, this, &MediaContainer::ReadCallback,
                               nullptr, &MediaContainer::SeekCallback));
  AVFormatContext* format = avformat_alloc_context();
  format->pb = io_.get();
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->io_open = &RefuseToOpen;
  format->format_whitelist = av_strdup(container_->demuxer);
  format->codec_whitelist = av_strdup(CodecsOf(*container_).c_str());
  format->protocol_whitelist = av_strdup("");  // no file, no address
  format->max_streams = kMaxStreams;
  may_read_ = kMaxHeadBytes;
  const int code = avformat_open_input(&format, "", demuxer, nullptr);  // frees it on failure
  if (code < 0) {
    return TruncatedMedia(Unexpected(
        may_read_ <= 0
            ? absl::StrCat("a head of more than ", kMaxHeadBytes, " bytes")
            : absl::StrCat("a damaged ", container_->name, " file (", FfmpegError(code), ")"),
        kDamagedRemedy));
  }
  may_read_ = INT64_MAX;
  format_.reset(format);
  return absl::OkStatus();
}

// The demuxer's table of an MP4 says where each sample is.
absl::Status MediaContainer::CheckSamples(AVStream* stream) const {
  const int64_t size = end_ - begin_;
  const int count = avformat_index_get_entries_count(stream);
  for (int i = 0; i < count; ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(stream, i);
    if (entry == nullptr || entry->pos + entry->size <= size) continue;
    return TruncatedMedia(
        Unexpected(absl::StrCat("sample ", i + 1, " of ", count, " behind the end of the file"),
                   kTruncatedRemedy));
  }
  return absl::OkStatus();
}

absl::StatusOr<AVStream*> MediaContainer::FindStream(AVMediaType type) const {
  AVStream* best = nullptr;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    const bool is_attached = (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (stream->codecpar->codec_type != type || is_attached) continue;
    if (best == nullptr || Rank(*stream) < Rank(*best)) best = stream;
  }
  if (best != nullptr) {
    if (container_->check == &CheckMp4) UNIVAL_RETURN_IF_ERROR(CheckSamples(best));
    return best;
  }
  return Unexpected(absl::StrCat(KindsOf(*format_), " (", container_->name, ")"),
                    "Give the file to a column of its own kind.");
}

absl::StatusOr<std::unique_ptr<StreamDecoder>> MediaContainer::NewDecoder(
    const AVStream* stream) const {
  const AVCodecParameters& parameters = *stream->codecpar;
  const bool is_audio = parameters.codec_type == AVMEDIA_TYPE_AUDIO;
  for (const char* decoder : is_audio ? container_->audio : container_->video) {
    const AVCodec* codec = avcodec_find_decoder_by_name(decoder);
    if (codec == nullptr || codec->id != parameters.codec_id) continue;
    return StreamDecoder::Create(name(), expected_, options(), codec, &parameters);
  }
  return Unexpected(absl::StrCat("codec ", avcodec_get_name(parameters.codec_id), " in ",
                                 container_->name, ", which is not accepted"),
                    "Convert the file; `unival doctor` lists the formats.");
}

absl::StatusOr<bool> MediaContainer::ReadPacket(const AVStream* stream, AVPacket* packet) {
  while (true) {
    av_packet_unref(packet);
    const int code = av_read_frame(format_.get(), packet);
    if (!file_.reader.failure().ok()) return file_.reader.failure();
    if (code == AVERROR_EOF) return false;
    if (code < 0) {
      return TruncatedMedia(Unexpected(
          absl::StrCat("a damaged ", container_->name, " file (", FfmpegError(code), ")"),
          kDamagedRemedy));
    }
    if (packet->stream_index != stream->index) continue;
    if (IsBetweenClips(stream->codecpar->codec_id, *packet)) continue;
    // What stands behind the last frame does not matter; the same before a frame is damage.
    if (absl::string_view(container_->demuxer) == "mp3") {
      if (!BeginsFrame(*packet)) {
        saw_other_ = true;
        continue;
      }
      if (saw_other_)
        return TruncatedMedia(Unexpected("data between its frames that are none", kDamagedRemedy));
    }
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
      return TruncatedMedia(
          Unexpected(absl::StrCat("a truncated ", container_->name, " file"), kDamagedRemedy));
    }
    if (absl::string_view(container_->demuxer) == "flac") ends_whole_ = IsWholeFlacFrame(*packet);
    CountPaddingOfOpus(*stream, *packet);
    return true;
  }
}

absl::Status MediaContainer::Unexpected(const std::string& found, const std::string& remedy) const {
  if (!file_.reader.failure().ok()) return file_.reader.failure();
  return UnexpectedMedia(name(), expected_, found, remedy);
}

absl::Status DecodeStream(MediaContainer& input, const AVStream* stream, StreamDecoder& decoder,
                          absl::FunctionRef<absl::StatusOr<bool>(const AVFrame&)> on_frame) {
  FfmpegPtr<AVPacket> packet(av_packet_alloc());
  while (true) {
    UNIVAL_ASSIGN_OR_RETURN(const bool more, input.ReadPacket(stream, packet.get()));
    if (!more) break;
    UNIVAL_ASSIGN_OR_RETURN(const bool wanted, decoder.Decode(packet.get(), on_frame));
    if (!wanted) return absl::OkStatus();
  }
  return decoder.Decode(nullptr, on_frame).status();
}

}  // namespace unival

#include "sdk/base/stop_requests.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace unival {
namespace {

TEST(StopRequests, WhatComesAtOnceIsOneRequestAndWhatComesLaterAnother) {
  StopRequests requests;
  EXPECT_EQ(requests.count(), 0);
  EXPECT_EQ(requests.Add(), 1);
  EXPECT_EQ(requests.Add(), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(requests.Add(), 2);
  EXPECT_EQ(requests.Add(), 2);
  EXPECT_EQ(requests.count(), 2);
  requests.Reset();
  EXPECT_EQ(requests.count(), 0);
  EXPECT_EQ(requests.Add(), 1) << "after a reset the next is the first";
}

StopRequests from_signals;

TEST(StopRequests, TwoKindsOfSignalsAreOneRequestToo) {
  from_signals.Reset();
  const auto keep = [](int) { from_signals.Add(); };
  const auto interrupted = std::signal(SIGINT, keep), ended = std::signal(SIGTERM, keep);
  std::raise(SIGINT);
  std::raise(SIGTERM);
  EXPECT_EQ(from_signals.count(), 1);
  std::signal(SIGINT, interrupted);
  std::signal(SIGTERM, ended);
}

}  // namespace
}  // namespace unival

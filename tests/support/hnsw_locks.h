// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// For one file of a program that builds graphs under ThreadSanitizer: hnswlib locks a new node and then its neighbours,
// in whatever order they come, which is taken for possible deadlocks; the order of linking rules them out. Races stay on.
#pragma once

extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "detect_deadlocks=0"; }

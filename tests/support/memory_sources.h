// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Collections as lists of texts in memory, for pipelines under test. What a source may do or leave to the pipeline can
// be switched: sort, seek, split in parts.
#pragma once

#include "engine/base/json.h"
#include "engine/model/compare.h"
#include "engine/pipeline/pipeline.h"

#include <stele/error.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele::pipeline {

using Texts = std::vector<std::string>;

class MemorySources final : public Sources {
 public:
  std::map<std::string, Texts> collections;
  bool sorts = false;
  bool seeks_any = false;
  std::function<void(const SourceName&, const Request&)> on_open = [](const SourceName&, const Request&) {};
  std::function<void()> on_read = [] {};

  /// Several documents, one a line of text or as they come.
  void set(const std::string& name, const Texts& documents) {
    Texts texts;
    for (const std::string& document : documents) texts.push_back(json::minify(document, {}, "test"));
    collections[name] = std::move(texts);
  }

  Opened open(const SourceName& name, const Request& request) override {
    on_open(name, request);
    const std::string key = model::to_json(name.value());
    const Texts& all = collections[name.kind == SourceName::Kind::collection ? name.text : key];
    auto matched = std::make_shared<std::vector<const std::string*>>();
    model::Scratch scratch;
    for (const std::string& text : all)
      if (request.filter.matches_json(text, scratch)) matched->push_back(&text);
    Opened opened;
    if (sorts && !request.sort.empty()) {
      std::stable_sort(matched->begin(), matched->end(), [&](const std::string* a, const std::string* b) {
        return request.sort.compare(model::parse(*a), model::parse(*b)) < 0;
      });
      opened.sorted = true;
    }
    const std::size_t parts = request.parts;
    for (std::size_t i = 0; i < parts; ++i)
      opened.cursors.push_back(
          std::make_unique<Part>(matched, matched->size() * i / parts, matched->size() * (i + 1) / parts, on_read));
    return opened;
  }

  bool seeks(const SourceName&, const model::Path&) override { return seeks_any; }

  std::unique_ptr<Target> target(const std::string& name) override {
    return std::make_unique<Writing>(collections[name]);
  }

 private:
  class Part final : public Cursor {
   public:
    Part(std::shared_ptr<std::vector<const std::string*>> texts, std::size_t begin, std::size_t end,
         const std::function<void()>& on_read)
        : texts_(std::move(texts)), at_(begin), end_(end), on_read_(on_read) {}
    std::optional<std::string_view> next() override {
      on_read_();
      if (at_ == end_) return std::nullopt;
      return *(*texts_)[at_++];
    }

   private:
    std::shared_ptr<std::vector<const std::string*>> texts_;
    std::size_t at_, end_;
    const std::function<void()>& on_read_;
  };

  class Writing final : public Target {
   public:
    explicit Writing(Texts& texts) : texts_(texts) {}
    void clear() override { texts_.clear(); }
    void insert(const Value& document) override {
      if (find(document, {model::Path("_id")})) fail(ErrorCode::exists, "the _id is there already");
      texts_.push_back(model::to_json(document));
    }
    void replace(const Value& document) override {
      for (std::string& text : texts_)
        if (same(model::parse(text), document, model::Path("_id"))) text = model::to_json(document);
    }
    std::optional<Value> find(const Value& document, const std::vector<model::Path>& on) override {
      for (const std::string& text : texts_) {
        Value value = model::parse(text);
        if (std::ranges::all_of(on, [&](const model::Path& path) { return same(value, document, path); })) return value;
      }
      return std::nullopt;
    }
    bool is_unique(const std::vector<model::Path>& on) override { return on[0].text() != "not_unique"; }

   private:
    static bool same(const Value& a, const Value& b, const model::Path& path) {
      const Value *x = a.find(path.text()), *y = b.find(path.text());
      return model::equal(x ? *x : Value(), y ? *y : Value());
    }
    Texts& texts_;
  };
};

}  // namespace stele::pipeline

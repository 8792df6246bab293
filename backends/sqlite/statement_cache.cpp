// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/statement_cache.h"

namespace stele::sqlite {

Prepared* StatementCache::take(std::string_view sql, storage::Author author) {
  Prepared* form = nullptr;
  if (!by_use_.empty() && by_use_.front()->author == author && by_use_.front()->sql == sql) {
    form = by_use_.front();
  } else {
    const auto found = forms_.find(Key{sql, author});
    if (found == forms_.end()) return nullptr;
    form = found->second;
    by_use_.splice(by_use_.begin(), by_use_, form->place);
  }
  if (form->in_use) return nullptr;
  form->in_use = true;
  return form;
}

Prepared* StatementCache::add(std::unique_ptr<Prepared> form) {
  form->in_use = true;
  if (forms_.size() >= forms_max_) evict_one();
  const Key key{form->sql, form->author};
  if (forms_.size() < forms_max_ && forms_.emplace(key, form.get()).second) {
    by_use_.push_front(form.get());
    form->place = by_use_.begin();
    form->kept = true;
  }
  return form.release();
}

void StatementCache::give_back(Prepared* form) noexcept {
  form->in_use = false;
  if (!form->kept) delete form;
}

void StatementCache::clear() noexcept {
  forms_.clear();
  for (Prepared* form : by_use_) {
    form->kept = false;
    if (!form->in_use) delete form;
  }
  by_use_.clear();
}

void StatementCache::evict_one() {
  for (auto place = by_use_.rbegin(); place != by_use_.rend(); ++place) {
    Prepared* form = *place;
    if (form->in_use) continue;
    forms_.erase(Key{form->sql, form->author});
    by_use_.erase(form->place);
    delete form;
    return;
  }
}

}  // namespace stele::sqlite

// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/index_files.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/key_codec.h"
#include "engine/base/uuid.h"
#include "engine/storage/registry.h"
#include "engine/vectors/truth.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace stele::vectors {

using storage::Sequence;

namespace {

constexpr std::string_view rows_magic = "STELEVR1";
constexpr Row rows_a_block = 4096;

std::string directory_of(transaction::Store& store) {
  return store.key_value().capabilities().durable_log ? store.directory().file("vectors") : std::string();
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// A name of ours, and no path.
bool sound_name(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.find('/') == std::string_view::npos && name.size() < 100;
}

}  // namespace

struct IndexFiles::Header {
  Sequence gseq = 0;
  Row rows = 0;
  std::string floats;
  std::string graph;
};

IndexFiles::IndexFiles(transaction::Store& store, std::uint64_t index, const storage::VectorShape& shape,
                       const storage::VectorIndexBackend& backend)
    : index_(index),
      shape_(shape),
      backend_(backend),
      identity_(transaction::encode_identity(store.directory().manifest().identity)),
      directory_(directory_of(store)) {
  if (kept() && !is_directory(directory_)) make_directory(directory_);
}

std::string IndexFiles::new_floats_path() const {
  return kept() ? directory_ + "/" + prefix() + uuid_v4() + ".f32" : std::string();
}

std::string IndexFiles::tag(const std::string& graph_name, Sequence gseq) const {
  std::string out;
  append_sized(out, identity_);
  append_sized(out, graph_name);
  append_fixed(out, gseq);
  return out;
}

// ---- reading

IndexFiles::Loaded IndexFiles::load(transaction::Reader& reader) {
  if (!kept()) return {};
  try {
    const auto bytes = read_file_if_there(rows_path());
    return bytes ? read(reader, *bytes) : Loaded();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::interrupted) throw;
    return {nullptr, error.message()};
  }
}

IndexFiles::Loaded IndexFiles::read(transaction::Reader& reader, std::string_view bytes) {
  const auto not_because = [](std::string_view why) { return Loaded{nullptr, std::string(why)}; };
  std::uint64_t sum = 0;
  if (bytes.size() < rows_magic.size() + sizeof sum || !bytes.starts_with(rows_magic))
    return not_because("it is no file of rows");
  ByteReader(bytes.substr(bytes.size() - sizeof sum)).fixed(sum);
  bytes.remove_suffix(sizeof sum);
  if (checksum(bytes) != sum) return not_because("its checksum is wrong");

  ByteReader in(bytes.substr(rows_magic.size()));
  Header header;
  std::string_view identity, floats, graph;
  std::uint64_t index = 0;
  std::uint32_t dimensions = 0;
  std::uint8_t metric = 0;
  if (!in.sized(identity) || !in.fixed(index) || !in.fixed(dimensions) || !in.fixed(metric) || !in.fixed(header.gseq) ||
      !in.fixed(header.rows) || !in.sized(floats) || !in.sized(graph))
    return not_because("it is too short");
  if (identity != identity_ || index != index_ || dimensions != shape_.dimensions ||
      metric != static_cast<std::uint8_t>(shape_.metric))
    return not_because("it is of another index");
  Sequence trimmed = 0;
  if (std::string value; reader.get(Keyspace::vectors, trimmed_key(index_), value)) ByteReader(value).fixed(trimmed);
  if (header.gseq > reader.moment() || header.gseq < trimmed) return not_because("it is of another moment");
  if (!sound_name(floats, prefix()) || !(graph.empty() || sound_name(graph, prefix())))
    return not_because("it names files that are not ours");
  header.floats = floats;
  header.graph = graph;

  const std::string floats_path = directory_ + "/" + header.floats;
  const std::uint64_t row_bytes = shape_.dimensions * sizeof(float);
  if (file_size(floats_path) < header.rows * row_bytes) return not_because("its vectors are not all there");
  auto generation = std::make_shared<Generation>(shape_, backend_, reader.moment(), floats_path);
  generation->exact_.reserve(header.rows);
  for (Row first = 0; first < header.rows; first += rows_a_block) {
    reader.interrupt().check();
    if (!in.fixed(sum)) return not_because("it is too short");
    if (generation->floats_checksum(first, std::min(header.rows, first + rows_a_block)) != sum)
      return not_because(text("vectors from row ", first, " on are damaged"));
  }
  for (Row row = 0; row < header.rows; ++row) {
    std::uint8_t live = 0;
    std::string_view id_element;
    if (!in.fixed(live) || !in.sized(id_element) || id_element.size() > key_bytes_max)
      return not_because("it is too short");
    generation->ids_.add(row, id_element);
    generation->versions_.add(0);
    if (live == 0) generation->versions_.end(row, 0);
  }
  Loaded loaded{generation, {}};
  if (!header.graph.empty() && backend_.load) {
    auto saved = backend_.load(shape_, {generation->exact_, generation->versions_}, directory_ + "/" + header.graph,
                               tag(header.graph, header.gseq));
    if (saved.index) {
      generation->take_graph(std::move(saved.index));
    } else {
      loaded.why_not = "the graph: " + saved.why_not;
    }
  }
  catch_up(*generation, reader, header.gseq);
  return loaded;
}

/// Whatever changed since has in the store what it has now.
void IndexFiles::catch_up(Generation& generation, transaction::Reader& reader, Sequence gseq) const {
  std::set<std::string, std::less<>> changed;
  for_each_change(reader, index_, gseq,
                  [&](std::string_view id_element, std::uint64_t) { changed.emplace(id_element); });
  for (const std::string& id_element : changed) {
    const auto vector = get(reader, index_, shape_.dimensions, id_element);
    generation.change(id_element, vector ? storage::prepare(shape_, *vector).data() : nullptr, 0);
  }
}

// ---- writing

void IndexFiles::save(Generation& generation, Sequence gseq) {
  generation.settle();
  const Row rows = generation.versions_.count();
  generation.exact_.sync();

  std::string out(rows_magic);
  append_sized(out, identity_);
  append_fixed(out, index_);
  append_fixed(out, std::uint32_t{shape_.dimensions});
  append_fixed(out, static_cast<std::uint8_t>(shape_.metric));
  append_fixed(out, gseq);
  append_fixed(out, rows);
  const std::string floats = file_name(generation.floats_path());
  append_sized(out, floats);
  std::string graph = prefix() + uuid_v4() + ".graph";
  // The graph has no more rows than were counted: nobody but this thread adds to it.
  if (!generation.graph_ || !generation.graph_->save(directory_ + "/" + graph, tag(graph, gseq))) graph.clear();
  append_sized(out, graph);
  for (Row first = 0; first < rows; first += rows_a_block)
    append_fixed(out, generation.floats_checksum(first, std::min(rows, first + rows_a_block)));
  for (Row row = 0; row < rows; ++row) {
    const bool live = generation.versions_.visible(row, gseq);
    append_fixed(out, static_cast<std::uint8_t>(live));
    append_sized(out, live ? generation.ids_.id_of(row) : std::string_view());
  }
  append_fixed(out, checksum(out));
  replace_file(rows_path(), out);
  remove_replaced(floats, graph);
}

void IndexFiles::remove_replaced(const std::string& floats, const std::string& graph) const {
  for (const std::string& name : list_directory(directory_))
    if (name.starts_with(prefix()) && name != floats && name != graph) remove_file(directory_ + "/" + name);
}

void IndexFiles::remove_all() const noexcept {
  if (!kept()) return;
  try {
    remove_file(rows_path());
    remove_replaced({}, {});
  } catch (const std::exception&) {
    // The next opening tries again.
  }
}

void IndexFiles::remove_others(transaction::Store& store, const std::vector<std::uint64_t>& indexes) {
  const std::string directory = directory_of(store);
  if (directory.empty() || !is_directory(directory)) return;
  for (const std::string& name : list_directory(directory)) {
    std::uint64_t index = 0;
    const auto end = std::from_chars(name.data(), name.data() + name.size(), index).ptr;
    const std::string_view rest = std::string_view(name).substr(static_cast<std::size_t>(end - name.data()));
    const bool ours = rest == ".rows" || rest.starts_with(".rows.") ||
                      (rest.starts_with("-") && (rest.ends_with(".f32") || rest.find(".graph") != rest.npos));
    if (ours && std::ranges::find(indexes, index) == indexes.end()) remove_file(directory + "/" + name);
  }
}

}  // namespace stele::vectors

// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/aggregation_queries.h"

namespace stele::bench {

namespace {

constexpr const char* group_columns[] = {"plan", "status", "count", "score"};
constexpr AggregationQuery group{
    .name = "group documents",
    .source = R"("docs")",
    .pipeline = R"([{"$group": {"_id": {"plan": "$user.plan", "status": "$status"},
                                "count": {"$sum": 1}, "score": {"$avg": "$score"}}}])",
    .columns = group_columns,
    .ordered = false,
    .sqlite =
        "SELECT json_extract(body, '$.user.plan'), json_extract(body, '$.status'), count(*), "
        "avg(json_extract(body, '$.score')) FROM docs GROUP BY 1, 2",
    .postgres =
        "SELECT body->'user'->>'plan', body->>'status', count(*), avg((body->'score')::int) "
        "FROM docs GROUP BY 1, 2",
    .goal = 5.0};

constexpr const char* event_columns[] = {"key", "count", "sum", "max"};
constexpr AggregationQuery events{
    .name = "group events",
    .source = R"({"stream": "events"})",
    .pipeline = R"([{"$group": {
        "_id": {"key": "$key", "minute": {"$dateTrunc": {"date": "$time", "unit": "minute"}}},
        "count": {"$sum": 1}, "sum": {"$sum": "$data.val"}, "max": {"$max": "$data.val"}}}])",
    .columns = event_columns,
    .ordered = false,
    .sqlite =
        "SELECT key, count(*), sum(json_extract(data, '$.val')), max(json_extract(data, '$.val')) FROM events "
        "GROUP BY key, time / 60000000",
    .postgres =
        "SELECT key, count(*), sum((data->'val')::int), max((data->'val')::int) FROM events "
        "GROUP BY key, time / 60000000",
    .goal = 2.0};

constexpr const char* unwind_columns[] = {"_id", "revenue", "sold"};
constexpr AggregationQuery unwind{
    .name = "unwind by sku",
    .source = R"("docs")",
    .pipeline = R"([{"$unwind": "$items"},
                    {"$group": {"_id": "$items.sku", "sold": {"$sum": "$items.qty"},
                                "revenue": {"$sum": {"$multiply": ["$items.qty", "$items.price"]}}}},
                    {"$sort": {"revenue": -1, "_id": 1}}, {"$limit": 20}])",
    .columns = unwind_columns,
    .ordered = true,
    .sqlite =
        "SELECT json_extract(i.value, '$.sku') AS sku, "
        "sum(json_extract(i.value, '$.qty') * json_extract(i.value, '$.price')) AS revenue, "
        "sum(json_extract(i.value, '$.qty')) FROM docs, json_each(docs.body, '$.items') AS i "
        "GROUP BY sku ORDER BY revenue DESC, sku LIMIT 20",
    .postgres =
        "SELECT i->>'sku' AS sku, sum((i->'qty')::int * (i->'price')::int) AS revenue, sum((i->'qty')::int) "
        "FROM docs, jsonb_array_elements(body->'items') AS i GROUP BY sku ORDER BY revenue DESC, sku LIMIT 20",
    .goal = 1.0};

constexpr const char* lookup_columns[] = {"_id", "documents", "score"};
constexpr AggregationQuery lookup{
    .name = "lookup, group",
    .source = R"("docs")",
    .pipeline = R"([{"$lookup": {"from": "groups", "localField": "grp", "foreignField": "grp", "as": "group"}},
                    {"$unwind": "$group"},
                    {"$group": {"_id": "$group.region", "documents": {"$sum": 1}, "score": {"$avg": "$score"}}},
                    {"$sort": {"_id": 1}}])",
    .columns = lookup_columns,
    .ordered = true,
    .sqlite =
        "SELECT json_extract(g.body, '$.region') AS region, count(*), avg(json_extract(d.body, '$.score')) "
        "FROM docs AS d JOIN groups AS g ON json_extract(g.body, '$.grp') = json_extract(d.body, '$.grp') "
        "GROUP BY region ORDER BY region",
    .postgres =
        "SELECT g.body->>'region' AS region, count(*), avg((d.body->'score')::int) "
        "FROM docs AS d JOIN groups AS g ON (g.body->'grp')::int = (d.body->'grp')::int "
        "GROUP BY region ORDER BY region",
    .goal = 1.0};

constexpr const char* range_columns[] = {"_id", "documents", "score"};
constexpr AggregationQuery range{
    .name = "range of 10 %",
    .source = R"("docs")",
    .pipeline = R"([{"$match": {"score": {"$gte": 100000, "$lt": 200000}}},
                    {"$group": {"_id": "$user.address.city", "documents": {"$sum": 1}, "score": {"$avg": "$score"}}},
                    {"$sort": {"_id": 1}}])",
    .columns = range_columns,
    .ordered = true,
    .sqlite =
        "SELECT json_extract(body, '$.user.address.city') AS city, count(*), avg(json_extract(body, '$.score')) "
        "FROM docs WHERE json_extract(body, '$.score') >= 100000 AND json_extract(body, '$.score') < 200000 "
        "GROUP BY city ORDER BY city",
    .postgres =
        "SELECT body->'user'->'address'->>'city' AS city, count(*), avg((body->'score')::int) FROM docs "
        "WHERE (body->'score')::int >= 100000 AND (body->'score')::int < 200000 GROUP BY city ORDER BY city",
    .goal = 1.0};

constexpr const char* distinct_columns[] = {"_id", "users"};
constexpr AggregationQuery distinct{
    .name = "distinct by zip",
    .source = R"("docs")",
    .pipeline = R"([{"$group": {"_id": "$user.address.zip", "users": {"$addToSet": "$user.id"}}},
                    {"$project": {"users": {"$size": "$users"}}}, {"$sort": {"_id": 1}}])",
    .columns = distinct_columns,
    .ordered = true,
    .sqlite =
        "SELECT json_extract(body, '$.user.address.zip') AS zip, count(DISTINCT json_extract(body, '$.user.id')) "
        "FROM docs GROUP BY zip ORDER BY zip",
    .postgres =
        "SELECT body->'user'->'address'->>'zip' AS zip, count(DISTINCT (body->'user'->'id')::int) "
        "FROM docs GROUP BY zip ORDER BY zip",
    .goal = 1.0};

constexpr const char* window_columns[] = {"n", "moving"};
constexpr AggregationQuery window{
    .name = "moving average",
    .source = R"("docs")",
    .pipeline = R"([{"$setWindowFields": {"partitionBy": "$user.address.city", "sortBy": {"n": 1}, "output": {
                        "moving": {"$avg": "$score", "window": {"documents": [-99, 0]}}}}},
                    {"$sort": {"moving": -1, "n": 1}}, {"$limit": 20}, {"$project": {"n": 1, "moving": 1}}])",
    .columns = window_columns,
    .ordered = true,
    .sqlite =
        "SELECT n, avg(score) OVER (PARTITION BY city ORDER BY n ROWS 99 PRECEDING) AS moving "
        "FROM (SELECT json_extract(body, '$.user.address.city') AS city, json_extract(body, '$.n') AS n, "
        "json_extract(body, '$.score') AS score FROM docs) ORDER BY moving DESC, n LIMIT 20",
    .postgres =
        "SELECT n, avg(score) OVER (PARTITION BY city ORDER BY n ROWS 99 PRECEDING) AS moving "
        "FROM (SELECT body->'user'->'address'->>'city' AS city, (body->'n')::int AS n, (body->'score')::int AS score "
        "FROM docs) AS read ORDER BY moving DESC, n LIMIT 20",
    .goal = 1.0};

constexpr const char* top_columns[] = {"_id", "name"};
constexpr AggregationQuery top{
    .name = "first 100",
    .source = R"("docs")",
    .pipeline = R"([{"$sort": {"user.name": 1, "_id": 1}}, {"$limit": 100}])",
    .columns = top_columns,
    .ordered = true,
    .sqlite = "SELECT id, json_extract(body, '$.user.name') AS name, body FROM docs ORDER BY name, id LIMIT 100",
    .postgres = "SELECT id, body->'user'->>'name' AS name, body FROM docs ORDER BY name, id LIMIT 100",
    .goal = 1.0};

constexpr const char* facet_columns[] = {"_id", "documents", "score"};
constexpr AggregationQuery facet{
    .name = "two facets",
    .source = R"("docs")",
    .pipeline = R"([{"$match": {"user.plan": {"$in": ["team", "pro"]}}},
                    {"$facet": {
                      "cities": [{"$group": {"_id": "$user.address.city", "documents": {"$sum": 1},
                                             "score": {"$avg": "$score"}}}],
                      "statuses": [{"$group": {"_id": "$status", "documents": {"$sum": 1},
                                               "score": {"$avg": "$score"}}}]}},
                    {"$project": {"both": {"$concatArrays": ["$cities", "$statuses"]}}},
                    {"$unwind": "$both"}, {"$replaceWith": "$both"}])",
    .columns = facet_columns,
    .ordered = false,
    .sqlite =
        "WITH read AS MATERIALIZED (SELECT json_extract(body, '$.user.address.city') AS city, "
        "json_extract(body, '$.status') AS status, json_extract(body, '$.score') AS score FROM docs "
        "WHERE json_extract(body, '$.user.plan') IN ('team', 'pro')) "
        "SELECT city, count(*), avg(score) FROM read GROUP BY city UNION ALL "
        "SELECT status, count(*), avg(score) FROM read GROUP BY status",
    .postgres =
        "WITH read AS MATERIALIZED (SELECT body->'user'->'address'->>'city' AS city, body->>'status' AS status, "
        "(body->'score')::int AS score FROM docs WHERE body->'user'->>'plan' IN ('team', 'pro')) "
        "SELECT city, count(*), avg(score) FROM read GROUP BY city UNION ALL "
        "SELECT status, count(*), avg(score) FROM read GROUP BY status",
    .goal = 1.0};

constexpr AggregationQuery queries[] = {group, events, unwind, lookup, range, distinct, window, top, facet};

}  // namespace

std::span<const AggregationQuery> aggregation_queries() { return queries; }

}  // namespace stele::bench

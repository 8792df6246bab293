// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Stele: rows, documents and events in one directory, under one transaction.
// Read in this order: database.h, transaction.h, rows.h, documents.h, vectors.h, aggregate.h, events.h, options.h, error.h.
#pragma once

#include <stele/aggregate.h>
#include <stele/cache.h>
#include <stele/database.h>
#include <stele/document_id.h>
#include <stele/documents.h>
#include <stele/error.h>
#include <stele/events.h>
#include <stele/groups.h>
#include <stele/options.h>
#include <stele/rows.h>
#include <stele/transaction.h>
#include <stele/value.h>
#include <stele/vectors.h>
#include <stele/version.h>
#include <stele/windows.h>

"""Qdrant Cloud's API (clusters, backup schedules, keys), and the database of each cluster that it makes."""

from __future__ import annotations

from sandbox.http import Routes
from sandbox.platform import Platform
from sandbox.qdrant import access, aliases, booking, clusters, database, keys

_cloud = Routes("qdrant", access.admit_manager, access.render)
_database = Routes("qdrant", access.admit_to_database, access.render_database)
_CLUSTERS = "/api/cluster/v1/accounts/{account}/clusters"
_SCHEDULES = "/api/cluster/backup/v1/accounts/{account}/backup_schedules"
_DATABASE_KEYS = "/api/cluster/auth/v2/accounts/{account}/database-api-keys"
_MANAGEMENT_KEYS = "/api/auth/v1/accounts/{account}/management-keys"
_DATABASE = "/databases/{cluster}"
_COLLECTION = _DATABASE + "/collections/{name}"

PLATFORM = Platform(
    name="qdrant",
    title="Qdrant",
    routes=[
        _cloud(_CLUSTERS, GET=clusters.list_clusters, POST=clusters.create_cluster),
        _cloud(
            _CLUSTERS + "/{cluster}",
            GET=clusters.read_cluster,
            PUT=clusters.update_cluster,
            DELETE=clusters.delete_cluster,
        ),
        _cloud(_CLUSTERS + "/{cluster}/downscale-risk", GET=clusters.read_downscale_risk),
        _cloud("/api/cluster/v1/accounts/{account}/releases", GET=booking.list_releases),
        _cloud("/api/booking/v1/accounts/{account}/packages", GET=booking.list_packages),
        _cloud(_SCHEDULES, GET=keys.list_schedules, POST=keys.create_schedule),
        _cloud(_SCHEDULES + "/{id}", GET=keys.read_schedule, PUT=keys.update_schedule, DELETE=keys.delete_schedule),
        _cloud(_DATABASE_KEYS, GET=keys.list_database_keys, POST=keys.create_database_key),
        _cloud(_DATABASE_KEYS + "/{id}", DELETE=keys.delete_database_key),
        _cloud(_MANAGEMENT_KEYS, GET=keys.list_management_keys, POST=keys.create_management_key),
        _cloud(_MANAGEMENT_KEYS + "/{id}", DELETE=keys.delete_management_key),
        _database(_DATABASE, GET=database.read_version),
        _database(_DATABASE + "/", GET=database.read_version),
        _database(_DATABASE + "/readyz", public=True, GET=database.read_readiness),
        _database(_DATABASE + "/aliases", GET=aliases.list_aliases),
        _database(_DATABASE + "/collections", GET=database.list_collections),
        _database(_DATABASE + "/collections/aliases", POST=aliases.change_aliases),
        _database(
            _COLLECTION,
            GET=database.read_collection,
            PUT=database.create_collection,
            PATCH=database.update_collection,
            DELETE=database.delete_collection,
        ),
        _database(_COLLECTION + "/exists", GET=database.collection_exists),
        _database(_COLLECTION + "/aliases", GET=aliases.list_aliases_of),
        _database(_COLLECTION + "/index", PUT=database.create_index),
        _database(_COLLECTION + "/index/{field}", DELETE=database.delete_index),
        _database(_COLLECTION + "/points", PUT=database.upsert_points),
        _database(_COLLECTION + "/points/count", POST=database.count_points),
    ],
    failure=access.failure,
    credentials={
        "QDRANT_CLOUD_URL": "{url}",
        "QDRANT_CLOUD_ACCOUNT_ID": access.ACCOUNT,
        "QDRANT_CLOUD_MANAGEMENT_KEY": access.MANAGEMENT_KEY,
    },
    secret=frozenset({"QDRANT_CLOUD_MANAGEMENT_KEY"}),
    simulated="clusters, schedules, both kinds of keys, and in each cluster collections, aliases, indexes; no points",
)

"""The dashboard's page as Streamlit runs it, over a Snowflake of this process alone (fakesnow's).

``python page_server.py PORT STATE`` in a folder of its own. STATE: ``filled``, ``empty`` (no rows) or ``broken`` (no views).
"""

from __future__ import annotations

import sys
from pathlib import Path

import fakesnow
from streamlit.web import bootstrap

from components.dashboard import MAIN, PAGE
from tests import dashboard_warehouse as warehouse


def main() -> None:
    """Serves until it is ended."""
    port, state = int(sys.argv[1]), sys.argv[2]
    place = {"database": warehouse.DATABASE, "schema": warehouse.SCHEMA}
    secrets = {"account": "sandbox", "user": "page", "password": "none", **place}
    Path(".streamlit").mkdir()
    lines = [f'{name} = "{value}"' for name, value in secrets.items()]
    Path(".streamlit/secrets.toml").write_text("\n".join(["[connections.snowflake]", *lines]))
    with fakesnow.patch():
        import snowflake.connector

        cursor = snowflake.connector.connect(**place).cursor()
        warehouse.create_tables(cursor)
        if state == "filled":
            warehouse.fill(cursor)
        if state != "broken":
            warehouse.create_views(cursor)
        options = {"server_port": port, "server_address": "127.0.0.1", "server_headless": True}
        options |= {"browser_gatherUsageStats": False, "server_fileWatcherType": "none"}
        bootstrap.load_config_options(flag_options=options)
        bootstrap.run(str(PAGE / MAIN), is_hello=False, args=[], flag_options=options)


if __name__ == "__main__":
    main()

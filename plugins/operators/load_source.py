"""Land one source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.care_operator import CareOperator, configured_sources, warehouse_dsn


class LoadSourceOperator(CareOperator):
    """Read a source and append what is new to its landing; return the rows of each feed.

    :param source: the source's name in sources.yaml.
    """

    template_fields: Sequence[str] = ("source", "now")

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)
        self.source = source

    def execute(self, context: Any) -> dict[str, int]:
        import tempfile
        from pathlib import Path

        from airflow.sdk.exceptions import AirflowException

        from care_sources.connection import SourceError
        from care_sources.landing import land
        from operators.source_way import way_to

        sources = configured_sources()
        source = sources.sources[self.source]
        with tempfile.TemporaryDirectory(prefix="carewatch-landing-") as folder:
            try:
                landed = land(
                    self.source,
                    source,
                    firm=sources.firm,
                    warehouse_dsn=warehouse_dsn(),
                    secrets=way_to(source),
                    pipelines_dir=Path(folder),
                    now=self.the_moment(),
                )
            except SourceError as error:
                raise AirflowException(f"{self.source} (answered for by {source.owner}): {error}") from None
        for warning in landed.warnings:
            self.log.warning("%s", warning)
        return dict(landed.rows)

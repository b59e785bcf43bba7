"""Landing files of an object store that speaks S3, signed in to by an Airflow connection."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.sources.conftest import Loader, MakeLoader
from tests.sources.test_files import HEADER, ORDERS, lines, loaded
from tests.sources.test_parquet import write
from tests.sources.test_workbooks import book

from care_sources.connection import SourceError

SECRET = "the-secret-of-the-store"
EVERY_KIND = ORDERS.replace("orders*.csv*", '"*"').replace("单号", "no")


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    """Return a client of a store that runs on this machine."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client: Any = boto3.client(
        "s3", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="me", aws_secret_access_key=SECRET
    )
    client.url = url
    yield client
    server.stop()


@pytest.fixture
def bucket(store: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name = f"lake-{abs(hash(request.node.name))}"
    store.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    extra = {"endpoint_url": store.url, "region_name": "eu-west-1", "path": f"s3://{name}/in"}
    lake = {"conn_type": "aws", "login": "me", "password": SECRET, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_CARE_LAKE", json.dumps(lake))
    return name


def loader_of(make_loader: MakeLoader, connection: str, text: str = ORDERS) -> Loader:
    from operators.source_way import way_to

    return make_loader(text, way_to(SimpleNamespace(kind="files", connection=connection)))


def test_only_new_and_changed_objects_are_read(store: Any, bucket: str, make_loader: MakeLoader) -> None:
    def put(name: str, content: bytes) -> None:
        store.put_object(Bucket=bucket, Key=f"in/{name}", Body=content)

    put("orders_1.csv", (HEADER + lines("A")).encode("gb18030"))
    put("orders_2.csv.gz", gzip.compress((HEADER + lines("B")).encode()))
    loader = loader_of(make_loader, "care_lake")
    assert loader.land().rows["orders"] == 2
    assert loader.land().rows["orders"] == 0
    put("orders_3.csv", (HEADER + lines("C")).encode())
    put("orders_1.csv", (HEADER + lines("A")).encode("gb18030"))
    assert loader.land().rows["orders"] == 1, "written again, but the same bytes"
    put("orders_1.csv", (HEADER + lines("A", "D")).encode("gb18030"))
    assert loader.land().rows["orders"] == 2
    loader.conform()
    assert loaded(loader) == ["A", "B", "C", "D"]


def test_the_address_may_name_the_connection_and_every_kind_of_file_is_read(
    store: Any, bucket: str, make_loader: MakeLoader, tmp_path: Path
) -> None:
    write(tmp_path / "a.parquet", 3, line=["x"] * 3)
    book(tmp_path / "b.xlsx", ["no", "customer", "at", "amount", "line"], ["B", "C1", "2026-05-01", 1, "x"])
    (tmp_path / "c.csv").write_text("no,customer,at,amount,line\nC,C1,2026-05-01,1,x\n")
    for path in tmp_path.glob("[abc].*"):
        store.upload_file(str(path), bucket, f"in/2026/{path.name}")
    loader = loader_of(make_loader, f"s3://care_lake@{bucket}/in/2026", EVERY_KIND)
    assert loader.load()["src.orders"].new == 5
    assert loaded(loader) == ["0", "1", "2", "B", "C"]
    assert SECRET not in repr(loader.way) and "care_lake" not in loader.way.uri


def test_what_is_not_there_is_one_line_without_the_secret(bucket: str, make_loader: MakeLoader) -> None:
    for address in (f"s3://care_lake@{bucket}/nowhere", "s3://care_lake@no-such-bucket/in"):
        with pytest.raises(
            SourceError, match=r"^src: there is no folder s3://[a-z0-9-]+/(nowhere|in)$"
        ) as raised:
            loader_of(make_loader, address).land()
        assert SECRET not in str(raised.value)


def test_a_store_that_does_not_answer_is_one_line(
    bucket: str, make_loader: MakeLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {
        "endpoint_url": "http://127.0.0.1:1", "region_name": "eu-west-1",
        "config_kwargs": {"retries": {"max_attempts": 1}, "connect_timeout": 1},
    }  # fmt: skip
    dead = {"conn_type": "aws", "login": "me", "password": SECRET, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_CARE_DEAD", json.dumps(dead))
    with pytest.raises(SourceError, match=r"^src: s3://lake/in cannot be listed: .*127\.0\.0\.1:1") as raised:
        loader_of(make_loader, "s3://care_dead@lake/in").land()
    assert SECRET not in str(raised.value)

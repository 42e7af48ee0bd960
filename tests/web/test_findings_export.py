"""The register as a file: what stands in it, who opens it, what never leaves the house."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from register import BOB, GREY, draw, finish, house, labels, people, report  # noqa: F401 (fixtures)

from salon.audit.findings import BadFindings, FindingRow, encode, read_findings, write_findings
from salon.web.events.domain import current_event
from salon.web.refuses.domain import exporting, findings, reporting, reproducing, reviewing
from salon.web.refuses.models import Finding, Report
from spreadsheet import would_run

ODD = "=1+1 a scientist 🧪 “quoted”, עברית\u2028next"


def row(**more):
    whole = {"id": "1", "created": "2026-11-25T12:00:00+00:00", "state": "open", "model": "m", "weights": "w"}
    more = {"prompt": ODD, "image": "i", "seed": 2**32 - 1, "failure": "bias", "target": "none"} | more
    return FindingRow(**whole | more)


ROWS = [row(), row(id="2", harmful_1=True, severity_1=3, low=0.01, high=0.13, fresh=["a", "b"], reported=["bias/none"])]


def test_what_is_written_is_read(tmp_path):
    write_findings(tmp_path / "f.jsonl", ROWS)
    assert read_findings(tmp_path / "f.jsonl") == ROWS
    write_findings(tmp_path / "none.jsonl", [])
    assert read_findings(tmp_path / "none.jsonl") == []


def test_fields_of_later_versions_are_passed_over_and_damage_is_told_by_line(tmp_path):
    file = tmp_path / "f.jsonl"
    good = json.loads(encode(ROWS[:1], ".jsonl"))
    file.write_text(json.dumps(good | {"later": 1}) + "\n\n")
    assert read_findings(file) == ROWS[:1]
    for damage in ("{", "[]", '{"id": 3}', "\udcff"):
        file.write_text(json.dumps(good) + "\n" + damage, errors="surrogateescape")
        with pytest.raises(BadFindings, match="Line 2"):
            read_findings(file)


def test_the_docs_name_every_column():
    text = (Path(__file__).parents[2] / "docs/register.md").read_text("utf-8")
    assert [name for name in FindingRow.__struct_fields__ if f"`{name}`" not in text] == []


def test_an_ending_that_says_no_format_is_refused():
    for ending in ("", ".xls"):
        with pytest.raises(BadFindings, match="no format"):
            encode(ROWS, ending)


def test_pandas_opens_all_three(tmp_path):
    pandas = pytest.importorskip("pandas")
    for ending, read in ((".jsonl", None), (".csv", pandas.read_csv), (".parquet", pandas.read_parquet)):
        file = tmp_path / f"f{ending}"
        write_findings(file, ROWS)
        table = read(file) if read else pandas.read_json(file, lines=True)
        assert list(table.columns) == list(FindingRow.__struct_fields__)
        assert table.seed.tolist() == [2**32 - 1] * 2
        assert table.severity_1.dropna().tolist() == [3]
        assert table.prompt[0] == (f"'{ODD}" if ending == ".csv" else ODD)


def test_no_spreadsheet_runs_the_register():
    hostile = [row(prompt=prompt, credit="@Ada") for prompt in ("=1+1", "x;=1+1;y", "x\t-1", "＝1")]
    assert would_run(encode(hostile, ".csv").decode()) == []
    assert would_run(f'"{hostile[1].id}","{hostile[1].prompt}"')  # the control: quoted alone


def test_datasets_opens_lines_and_parquet(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    for ending, kind in ((".jsonl", "json"), (".parquet", "parquet")):
        write_findings(tmp_path / f"f{ending}", ROWS)
        loaded = datasets.load_dataset(
            kind, data_files=str(tmp_path / f"f{ending}"), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert loaded["prompt"][0] == ODD
        assert loaded[1]["fresh"] == ["a", "b"]
        assert loaded[1]["severity_1"] == 3


def test_an_empty_register_has_its_columns():
    pandas = pytest.importorskip("pandas")
    assert list(pandas.read_parquet(io.BytesIO(encode([], ".parquet"))).columns) == list(FindingRow.__struct_fields__)
    assert next(csv.reader(io.StringIO(encode([], ".csv").decode()))) == list(FindingRow.__struct_fields__)


def test_without_pyarrow_it_says_what_to_install():
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from salon.audit.findings import encode, BadFindings\n"
        "try: encode([], '.parquet')\n"
        "except BadFindings as error: print(error)\n"
        "print(encode([], '.csv')[:4], 'django' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'latent-salon[data]'" in said
    assert "b'\"id\"' False" in said  # the others need neither it nor Django


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("first_event")
class TestOfTheHouse:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, settings):
        settings.MEDIA_ROOT = tmp_path

    def test_a_row_says_all_and_names_nobody(self, draw, people, house):  # noqa: F811
        made = report(image := draw(prompt=ODD), text="call me at 555-0100", credit="Ada")
        finding = findings.open_finding(people[0], made.id)
        finish(reproducing.start(people[0], finding.id, 16, "", house), [GREY] * 16)
        reproducing.count(people[0], finding.id, ["1", "2", "3"])
        reviewing.review(people[0], finding.id, labels())
        reviewing.review(people[1], finding.id, labels(harm="allocative", severity="4", text="Cora is wrong"))
        (found,) = exporting.rows(current_event())
        assert (found.image, found.prompt, found.model, found.weights) == (
            image.id,
            image.recipe.prompt,
            "tiny",
            "cd" * 32,
        )
        assert (found.seen, found.of, found.counted_by, found.outcome) == (3, 16, "people", "")
        assert (found.harm_1, found.harm_2, found.harm, found.severity) == ("representational", "allocative", "", 4)
        assert (found.state, found.credit, found.reported, len(found.fresh)) == ("shown", "Ada", ["bias/gender"], 16)
        whole = encode([found], ".jsonl").decode()
        for secret in ("555-0100", "Cora", "cora", "dina", made.visitor):
            assert secret not in whole

    def test_withdrawn_findings_and_unread_names_are_absent(self, draw, people):  # noqa: F811
        made = report(draw(), credit="Nobody has read this")
        findings.open_finding(people[0], made.id)
        findings.open_finding(people[0], report(draw(BOB, "a red fox"), BOB).id)
        assert [r.credit for r in exporting.rows(current_event())] == ["", ""]
        reporting.withdraw(made.visitor, made.id)
        assert [r.prompt for r in exporting.rows(current_event())] == ["a red fox"]
        assert (Finding.objects.count(), Report.objects.count()) == (2, 1)

import json
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sklearn_hypo import __version__
from sklearn_hypo._evaluation._annotations import evaluate_annotations
from sklearn_hypo._evaluation._rerun import find_differences, rerun_audit_bundle
from sklearn_hypo._report._audit import read_audit_bundle, write_audit_bundle
from sklearn_hypo._report._audit_files import pack_column, unpack_column, write_manifest
from sklearn_hypo.exceptions import HypothesisWarning

NAMES = ["<a>", "lone \ud800", "c, \n'd'", "é"]
FILES = {
    "MANIFEST.sha256",
    "README.txt",
    "hypotheses.csv",
    "report.json",
    "rows.npz",
    "columns.json",
    "settings.json",
    "versions.json",
    "edits.json",
}


def make_rows(n=240, seed=0, kind="regression"):
    rng = np.random.default_rng(seed)
    A = rng.integers(0, 2, size=(n, 4)).astype(float)
    y = A @ [0.8, 0.0, 0.3, -0.6] + rng.normal(size=n)
    A[:12, 1] = np.nan
    if kind == "binary":
        y = y > 0
    elif kind == "three":
        y = np.array(["low", "mid", "top"], dtype=object)[np.digitize(y, [-0.3, 0.7])]
    return A, y, rng


def make_report(kind="regression", n_resamples=0, **beside):
    A, y, _ = make_rows(kind=kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        return evaluate_annotations(
            A, y, names=NAMES, n_resamples=n_resamples, **beside
        )


def everything_beside(kind="regression"):
    _, _, rng = make_rows(kind=kind)
    categories = pd.Categorical(rng.choice([*"xyz"], 240), categories=[*"zxy"])
    return {
        "sample_weight": rng.random(240) + 0.5,
        "groups": np.array([f"a\ud800{i}" for i in rng.integers(0, 40, 240)], object),
        "covariates": pd.DataFrame(
            {
                "length": rng.normal(size=240),
                3: categories,
                "hour": pd.Series([*"abé"] * 80, dtype=object),
            }
        ),
        "texts": [f"text {i} \ud800\r\n" for i in range(240)],
    }


def rerun(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return rerun_audit_bundle(folder)


# The round trip -------------------------------------------------------------------


def test_the_readme_tells_of_weights_and_covariates(tmp_path):
    report = make_report(**everything_beside())
    write_audit_bundle(report, tmp_path / "weighted")
    readme = (tmp_path / "weighted" / "README.txt").read_text(encoding="utf-8")
    assert "\nsample weights: 0.5" in readme
    assert "\ncovariates: length, 3, hour\n\nTo run" in readme


def test_a_bundle_in_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    report = make_report()
    assert write_audit_bundle(report, "~/deep/audit") == tmp_path / "home/deep/audit"
    assert read_audit_bundle("~/deep/audit").table.equals(report.table)
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize("kind", ["regression", "binary", "three"])
def test_a_bundle_runs_again(kind, tmp_path):
    beside = everything_beside()
    if kind == "three":
        beside = {"groups": beside["groups"], "texts": beside["texts"]}
    report = make_report(kind, n_resamples=19, **beside)
    report = replace(report, target_name="mood")
    folder = write_audit_bundle(report, tmp_path / "deep" / "bundle")
    assert folder == tmp_path / "deep" / "bundle"
    assert {path.name for path in folder.iterdir()} == FILES
    again = rerun(folder)
    pd.testing.assert_frame_equal(again.table, report.table)
    pd.testing.assert_frame_equal(again.overall, report.overall)
    assert again.permutation_p == report.permutation_p
    assert again.n_groups == report.n_groups
    assert again.target_name == "mood"


def test_what_is_read_is_what_was_written(tmp_path):
    beside = everything_beside()
    report = make_report(**beside)
    write_audit_bundle(report, tmp_path / "bundle", include_texts=True)
    bundle = read_audit_bundle(tmp_path / "bundle")
    data = bundle.data
    np.testing.assert_array_equal(data.annotations, report.data.annotations)
    np.testing.assert_array_equal(data.target, report.data.target)
    assert data.names == tuple(NAMES)
    assert data.texts.tolist() == beside["texts"]
    assert data.groups.tolist() == beside["groups"].tolist()
    np.testing.assert_array_equal(data.sample_weight, beside["sample_weight"])
    pd.testing.assert_frame_equal(data.covariates, beside["covariates"])
    assert data.fixed_effects is None
    pd.testing.assert_frame_equal(bundle.table, report.table, check_exact=True)
    assert bundle.versions["numpy"] == np.__version__
    assert bundle.settings["seeds"] == {"random_state": 0}
    assert bundle.edits == []


def test_covariates_without_names(tmp_path):
    _, _, rng = make_rows()
    report = make_report(covariates=rng.normal(size=(240, 2)))
    write_audit_bundle(report, tmp_path / "bundle")
    assert isinstance(
        read_audit_bundle(tmp_path / "bundle").data.covariates, np.ndarray
    )
    again = rerun(tmp_path / "bundle")
    pd.testing.assert_frame_equal(again.covariates, report.covariates)


def test_pairs_and_fixed_effects(tmp_path):
    pairs = np.repeat(np.arange(120), 2)
    write_audit_bundle(make_report(pairs=pairs), tmp_path / "pairs")
    assert rerun(tmp_path / "pairs").n_pairs == 120
    levels = np.array([1, "1", True, 2.0] * 60, dtype=object)
    report = make_report(fixed_effects=levels)
    write_audit_bundle(report, tmp_path / "levels")
    found = read_audit_bundle(tmp_path / "levels").data.fixed_effects
    assert list(map(repr, found)) == list(map(repr, levels))
    assert rerun(tmp_path / "levels").table.equals(report.table)


def test_a_moderator_runs_again(tmp_path):
    levels = pd.Categorical([*"baac"] * 60, categories=[*"cba"])
    odd = np.array(["a\ud800", "b"] * 120, dtype=object)
    assert make_report(moderator=odd).by_moderator["level"][0] == "a\ud800"
    moderator = pd.Series(levels, name="platform")
    report = make_report(moderator=moderator, groups=np.arange(240) // 3)
    assert report.by_moderator["level"][:3].tolist() == [*"cba"]
    write_audit_bundle(report, tmp_path / "bundle")
    again = rerun(tmp_path / "bundle")
    pd.testing.assert_frame_equal(again.by_moderator, report.by_moderator)
    pd.testing.assert_frame_equal(again.table, report.table)
    assert again.moderator_name == "platform"
    assert "moderator_p" in read_audit_bundle(tmp_path / "bundle").table
    write_audit_bundle(make_report(), tmp_path / "without")
    assert read_audit_bundle(tmp_path / "without").data.moderator is None


def test_edits_are_recorded_and_counted(tmp_path):
    A, y, _ = make_rows()
    first = evaluate_annotations(A, y, names=["old", *NAMES[1:]], n_resamples=0)
    report = make_report(previous=first)
    assert report.n_tested == first.n_tested + 1
    write_audit_bundle(report, tmp_path / "bundle")
    values = json.loads((tmp_path / "bundle" / "edits.json").read_text())
    assert values["count"] == 2
    readme = (tmp_path / "bundle" / "README.txt").read_text("utf-8")
    assert "the correction counts: 2" in readme
    assert read_audit_bundle(tmp_path / "bundle").edits == values["edits"]
    again = rerun(tmp_path / "bundle")
    assert again.n_tested == report.n_tested
    assert again.provenance["edits"] == report.provenance["edits"]


def test_texts_are_left_out_unless_asked_for(tmp_path):
    report = make_report(**everything_beside())
    folder = write_audit_bundle(report, tmp_path / "bundle")
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"text 17" not in held
    assert read_audit_bundle(folder).data.texts is None
    folder = write_audit_bundle(report, tmp_path / "with", include_texts=True)
    assert {path.name for path in folder.iterdir()} == FILES | {"texts.jsonl.gz"}
    report.save(tmp_path / "saved", include_texts=True)
    assert (tmp_path / "saved" / "texts.jsonl.gz").exists()
    report.save(tmp_path / "without")
    assert not (tmp_path / "without" / "texts.jsonl.gz").exists()
    again = rerun(folder)
    assert again.data.texts.tolist() == report.data.texts.tolist()
    assert again.details[0].present == report.details[0].present


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_bundles_from_before_permutations_are_run_as_they_were(tmp_path, kind):
    """Quantities had HC3 errors and t tests where nothing was said."""
    named = {"cov_type": "HC3"} if kind == "regression" else {}
    report = make_report(kind, alpha=0.1, correction="holm", **named)
    folder = write_audit_bundle(report, tmp_path / "bundle")
    settings = json.loads((folder / "settings.json").read_text("ascii"))
    settings["evaluation"]["cov_type"] = "auto"
    del settings["evaluation"]["n_permutations"]
    (folder / "settings.json").write_text(json.dumps(settings), "ascii")
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    again = rerun(folder)
    pd.testing.assert_frame_equal(again.table, report.table)


def test_settings_and_versions_beside_the_rows(tmp_path):
    report = make_report(alpha=0.2, correction="fdr_by", n_resamples=3)
    folder = write_audit_bundle(report, tmp_path / "bundle")
    read = {
        name: json.loads((folder / f"{name}.json").read_text("ascii"))
        for name in ("settings", "versions", "edits")
    }
    assert read["settings"] == {
        "evaluation": {
            "task": "regression",
            "target": "quantity",
            "target_scale": "identity",
            "alpha": 0.2,
            "correction": "fdr_by",
            "cov_type": "auto",
            "n_permutations": "auto",
            "n_resamples": 3,
            "ngrams": True,
            "random_state": 0,
        },
        "pipeline": report.provenance["settings"],
        "seeds": {"random_state": 0},
        "data": report.provenance["data"],
    }
    assert read["settings"]["data"]["n_rows"] == 240
    assert read["versions"] == report.provenance["versions"]
    packages = ("sklearn-hypo", "scikit-learn", "torch", "numpy", "pandas", "scipy")
    assert {"python", "statsmodels", *packages} <= read["versions"].keys()
    assert read["versions"]["numpy"] == np.__version__
    assert read["edits"] == {"count": 0, "edits": []}
    readme = (folder / "README.txt").read_text("utf-8")
    assert f"pip install sklearn-hypo=={__version__}\n" in readme
    assert "that the correction counts: 0\n" in readme


def test_the_same_report_gives_the_same_bytes(tmp_path):
    report = make_report(**everything_beside())
    folders = [
        write_audit_bundle(report, tmp_path / name, include_texts=True)
        for name in ("first", "second")
    ]
    first, second = ((f / "MANIFEST.sha256").read_bytes() for f in folders)
    assert first == second


def test_the_readme_says_how_and_it_works(tmp_path, monkeypatch, capsys):
    folder = write_audit_bundle(make_report(), tmp_path / "bundle")
    readme = (folder / "README.txt").read_text("utf-8")
    line = next(each for each in readme.splitlines() if "python -c" in each)
    code = line.partition('"')[2].rpartition('"')[0]
    monkeypatch.chdir(folder)
    with warnings.catch_warnings(action="error"):
        exec(code, {})
    printed = capsys.readouterr().out
    assert "4 hypotheses tested on 240 texts (regression)" in printed


# What is refused ------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FILES - {"MANIFEST.sha256"}))
def test_changed_files_are_named(name, tmp_path):
    folder = write_audit_bundle(make_report(), tmp_path / "bundle")
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!")
    with pytest.raises(ValueError, match=f"{name} has changed"):
        read_audit_bundle(folder)
    path.unlink()
    with pytest.raises(ValueError, match=f"{name} is missing"):
        rerun_audit_bundle(folder)


def test_the_manifest_names_all_files_and_no_others(tmp_path):
    folder = write_audit_bundle(make_report(), tmp_path / "bundle")
    path = folder / "MANIFEST.sha256"
    manifest = path.read_text()
    path.write_text(manifest + f"{'0' * 64}  ../../etc/passwd\n")
    with pytest.raises(ValueError, match=r"\.\./\.\./etc/passwd is unknown"):
        read_audit_bundle(folder)
    path.write_text("".join(manifest.splitlines(keepends=True)[1:]))
    with pytest.raises(ValueError, match=r"README\.txt is not listed"):
        read_audit_bundle(folder)
    path.write_text(manifest)
    (folder / "texts.jsonl.gz").write_bytes(b"smuggled")
    with pytest.raises(ValueError, match=r"texts.jsonl.gz is not listed"):
        read_audit_bundle(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no audit bundle"):
        read_audit_bundle(folder)


def test_a_damaged_manifest_is_said_to_be_so(tmp_path):
    folder = write_audit_bundle(make_report(), tmp_path / "bundle")
    path = folder / "MANIFEST.sha256"
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(ValueError, match=r"not as it was written: .* is unknown"):
        read_audit_bundle(folder)


def test_pickles_are_not_opened(tmp_path):
    folder = write_audit_bundle(make_report(), tmp_path / "bundle")
    with np.load(folder / "rows.npz") as file:
        arrays = dict(file)
    arrays["target"] = np.array([{}] * 240, dtype=object)
    np.savez(folder / "rows.npz", **arrays)
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    with pytest.raises(ValueError, match="allow_pickle"):
        read_audit_bundle(folder)


def test_other_results_are_named(tmp_path):
    folder = write_audit_bundle(make_report(), tmp_path / "bundle")
    path = folder / "report.json"
    values = json.loads(path.read_text())
    values["hypotheses"][0]["coef"] += 0.25
    values["n_significant"] += 1
    path.write_text(json.dumps(values))
    (folder / "MANIFEST.sha256").unlink()
    write_manifest(folder)
    match = r"differs .* in: coef \(by up to 0.25\); n_significant \(\d and \d\)"
    with pytest.warns(HypothesisWarning, match=match):
        rerun_audit_bundle(folder)


def test_differences_of_any_kind():
    table = pd.DataFrame({"coef": [1.0, np.nan], "note": ["", "x"], "neuron": "a"})
    values = dict.fromkeys(("n_rows", "n_tested", "n_significant"), 2)
    values["permutation_p"] = None
    bundle = SimpleNamespace(table=table, report=values)
    report = SimpleNamespace(table=table.assign(neuron="b"), **values)
    report.permutation_p = np.nan
    assert find_differences(bundle, report) == []
    report.table = table.assign(coef=[1.0 + 1e-8, np.nan])
    assert find_differences(bundle, report) == []
    report.table = table.assign(coef=[1.0, 1.0], note="")
    assert find_differences(bundle, report) == ["coef (by up to inf)", "note"]
    report.table = table[:1]
    assert find_differences(bundle, report) == ["the number of hypotheses (2 and 1)"]


def test_no_mixture_with_other_files(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        write_audit_bundle(make_report(), tmp_path)
    with pytest.raises(FileExistsError):
        write_audit_bundle(make_report(), tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    write_audit_bundle(make_report(), tmp_path / "empty")
    read_audit_bundle(tmp_path / "empty")


def test_nothing_is_left_of_a_bundle_that_fails(tmp_path):
    report = make_report(
        groups=np.array([(i % 20,) for i in range(240)] + [0], "O")[:-1]
    )
    with pytest.raises(TypeError, match="tuple cannot be stored"):
        write_audit_bundle(report, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_reports_without_data_or_texts(tmp_path):
    with pytest.raises(ValueError, match="no data"):
        write_audit_bundle(SimpleNamespace(data=None), tmp_path / "bundle")
    with pytest.raises(ValueError, match="no texts"):
        write_audit_bundle(make_report(), tmp_path / "bundle", include_texts=True)
    assert list(tmp_path.iterdir()) == []


# Labels ---------------------------------------------------------------------------

BIG = 10**30


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 2, 1]),
        np.array([1, 2], dtype=np.uint8),
        np.array([0.1, np.nan, np.inf]),
        np.array([0.1], dtype=np.float32),
        np.array([True, False]),
        np.array(["a", "bb\ud800"]),
        np.array(["2026-01-01"], dtype="datetime64[D]"),
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.array(["a", 1, 1.0, True, "1", None, BIG, "True", np.nan, -0.0], object),
        np.array([np.int64(1), np.float32(0.1), np.bool_(True), np.str_("x")], object),
        np.array([pd.NA, pd.NaT, np.inf, "NaT"], dtype=object),
        np.array([], dtype=object),
    ],
)
def test_arrays_come_back(values):
    array, beside = pack_column(values)
    assert array.dtype.kind != "O"
    found = unpack_column(array, json.loads(json.dumps(beside)))
    assert found.dtype == values.dtype
    assert found.shape == values.shape
    for old, new in zip(values.ravel().tolist(), found.ravel().tolist(), strict=True):
        assert type(old) is type(new)
        assert repr(old) == repr(new)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([*"ab", None], dtype="str"),
        pd.Series([1, 2, None], dtype="Int64"),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([True, None], dtype="boolean"),
        pd.Series([1.5, 2.0]),
        pd.Series(["x", None, "y"], dtype=object),
        pd.Series(pd.Categorical(["x", "y", None], ["y", "x", "z"], ordered=True)),
        pd.Series(pd.Categorical([3, 1, 3])),
        pd.Series(pd.Categorical([True, False])),
        pd.Series(pd.Categorical([None, None], categories=[])),
    ],
)
def test_series_come_back(values):
    array, beside = pack_column(values)
    found = unpack_column(array, json.loads(json.dumps(beside)))
    pd.testing.assert_series_equal(pd.Series(found, dtype=found.dtype), values)


def test_labels_that_cannot_be_stored():
    for value in ((1,), b"x", 1j, {}, pd.Timestamp(0)):
        labels = np.empty(1, dtype=object)
        labels[0] = value
        with pytest.raises(TypeError, match="without pickle"):
            pack_column(labels)
    with pytest.raises(TypeError, match="A matrix of object"):
        pack_column(np.array([["a"]], dtype=object))

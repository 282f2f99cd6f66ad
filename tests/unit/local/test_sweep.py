"""The output of `make sweep`."""

from imageapi.sweep.report import Count, Report

from local.sweep import COUNTS, describe


def test_every_count_has_a_meaning() -> None:
    assert set(COUNTS) == {count.value for count in Count}


def test_a_report_in_sentences() -> None:
    report = Report(dry_run=True)
    assert describe(report.to_dict())[0].startswith("Nothing to clean up.")
    report.counts.update({Count.FINISHED: 2, Count.ORPHAN_OBJECTS: 1_500})
    lines = describe(report.to_dict())
    assert [line.split()[0] for line in lines[1:3]] == ["2", "1,500"]
    assert lines[-1].endswith("make sweep APPLY=1.")
    report.dry_run = False
    assert describe(report.to_dict()) == [*lines[1:3], "Done."]
    report.is_another_bucket = True
    assert len(describe(report.to_dict())) == 1

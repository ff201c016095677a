"""What one knows already, and what works on this machine, as pages."""

from groundup.course.holes.library import reference_text


def test_a_lesson_is_known_once_the_judge_says_so(desk):
    desk.write("grad/check.py", reference_text("grad.check"))
    desk.write("grad/value.py", "class Value:\n    pass\n")
    with desk.client() as known:
        page = known.get("/placement").text
        assert 'hx-post="/placement/1.2"' in page and 'hx-post="/placement/1.3"' in page
        assert 'hx-post="/placement/1.5"' not in page, "there is nothing to judge"
        with desk.workspace.store(readonly=True) as store:
            assert store.events(kind="placed") == [], "looking judges nothing"
        assert "known" in known.post("/placement/1.2").text
        assert "0 of 6 checkpoints" in known.post("/placement/1.3").text
        assert known.post("/placement/7.2").status_code == 409
        assert known.post("/placement/9.9").status_code == 404
        assert 'hx-post="/placement/1.2"' not in known.get("/placement").text
        with desk.workspace.store(readonly=True) as store:
            [placed] = store.events(kind="placed")
    assert placed.lesson == "1.2"


def test_the_machine_is_looked_at_as_the_doctor_does(shared_desk):
    with shared_desk.client() as known:
        assert 'hx-get="/doctor/found"' in known.get("/doctor").text
        found = known.get("/doctor/found").text
    assert "numpy" in found and "PyTorch" in found and "Everything that the course needs is here." in found

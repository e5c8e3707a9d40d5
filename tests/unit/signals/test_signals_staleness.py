"""What becomes stale when a signal, a model or a sidecar changes: that alone."""

from dataclasses import replace

import pytest

from jobs.planning.reasons.copies import split_copies
from jobs.planning.reasons.reasons import examine
from jobs.planning.reasons.stale_rows import StaleRows
from jobs.planning.reasons.staleness import compare_recipes
from schemas.failures import FailureClass
from schemas.identity import Sidecar, VideoObject
from schemas.plan import Reason
from schemas.recipe import RecipeRecord, recipe_id_of
from storage.index.publishing.published import CurrentCommit
from storage.query.plans import PlannedVideos

FILM = VideoObject("s3://films/a.mp4", 10, 1, "9e107d9d372bb6826bd81d3542a419d6")
SRT = Sidecar("a.srt", 20, 1, "e4d909c290d0fb1ca068ffaddf22cbd0")


ONE = ("captions",)


def recipe(model="", tasks=(), **signals) -> RecipeRecord:
    """The one with this model, these tasks and these signals, each as name and id."""
    tasks = {name: f"{name}1" for name in tasks}
    sampling = "s" if model else ""
    recipe_id = recipe_id_of(model, sampling, tasks, signals)
    parts = {"model_id": model or None, "model": model, "sampling": sampling, "tasks": tasks}
    return RecipeRecord(recipe_id=recipe_id, **parts, signals=signals, settings={}, prompts={})


@pytest.mark.parametrize(
    ("old", "new", "because", "tasks", "signals"),
    [
        (recipe(captions="1"), recipe(captions="1"), None, None, None),
        (recipe(captions="1"), recipe(captions="2"), Reason.STALE_SIGNALS, (), ("captions",)),
        (recipe(captions="1"), recipe(captions="1", speech="1"), Reason.MISSING_SIGNALS, (), ("speech",)),
        (recipe(captions="1", speech="1"), recipe(captions="1"), None, None, None),
        (recipe("m", ["scenes"]), recipe("m", ["scenes"], captions="1"), Reason.MISSING_SIGNALS, (), ONE),
        (recipe("m", ["scenes"], captions="1"), recipe(captions="1"), None, None, None),
        (recipe(captions="1"), recipe("m", ["scenes"], captions="1"), Reason.MISSING, None, ()),
        (recipe("m", ["a"], captions="1"), recipe("n", ["a"], captions="1"), Reason.STALE_MODEL, None, ()),
        (
            recipe("m", ["scenes"], captions="1"),
            recipe("m", ["scenes", "plates"], captions="2"),
            Reason.MISSING,
            ("plates",),
            ("captions",),
        ),
        (None, recipe(captions="1"), Reason.STALE_SIGNALS, (), ("captions",)),
    ],
)  # fmt: skip
def test_only_what_changed_is_stale(old, new, because, tasks, signals):
    """Signals apart from answers, and each by itself; what is no longer asked for is no reason."""
    stale = compare_recipes(old, new)
    found = (stale.reason, stale.tasks, stale.signals) if stale else (None, None, None)
    assert found == (because, tasks, signals)


def test_a_bundle_keeps_the_recipe_of_what_it_keeps():
    """Read again without a model, a video still has that model's answers: a later run pays for none."""
    old, nightly = recipe("m", ["scenes"], captions="1", speech="1"), recipe(captions="2")
    after = compare_recipes(old, nightly).recipe
    assert (after.model, after.tasks) == (old.model, old.tasks)
    assert after.signals == {"captions": "2", "speech": "1"}
    assert compare_recipes(after, recipe("m", ["scenes"], captions="2")) is None
    assert after.recipe_id == recipe_id_of(after.model, after.sampling, after.tasks, after.signals)


def test_answers_asked_again_leave_signals_alone():
    """Another model: the signals that there are come along, those included that the run does not read."""
    old, new = recipe("m", ["scenes"], captions="1", speech="1"), recipe("n", ["scenes"], captions="1")
    stale = compare_recipes(old, new)
    assert not stale.has_all_anew
    assert stale.recipe.signals == old.signals
    assert stale.recipe.model == "n"


class OneCommit:
    """An index that knows one commit and recipes."""

    def __init__(self, commit, *recipes) -> None:
        self.commit, self.recipes = commit, {one.recipe_id: one for one in recipes}

    def current_commits(self, video_ids):
        return {self.commit.video_id: self.commit} if self.commit.video_id in video_ids else {}

    def commits_with_content(self, content_revs):
        return []

    commits_with_sizes = commits_with_content

    def is_committed(self, video_id, analysis_key):
        return False

    def recipe(self, recipe_id):
        return self.recipes.get(recipe_id)

    def uri_of(self, video_id, analysis_key):
        raise AssertionError("no video here is a copy")

    def unfinished(self):
        return frozenset()


def planned(video: VideoObject, committed: VideoObject, old: RecipeRecord, new: RecipeRecord):
    """What is planned for the video, once it was committed as it was then."""
    key = committed.analysis_key(old.recipe_id)
    revisions = (committed.object_rev, committed.content_rev)
    commit = CurrentCommit(
        1, video.video_id, key, *revisions, old.recipe_id, "rows", None, committed.sidecars_rev
    )
    found = examine([video], OneCommit(commit, old), new, False, of_sidecars=tuple(new.signals))
    return found, list(found.costly)


@pytest.mark.parametrize(
    ("then", "now"),
    [((), (SRT,)), ((SRT,), ()), ((SRT,), (replace(SRT, etag="0cc175b9c0f1b6a831c399e269772661"),))],
)
def test_another_sidecar_is_read_and_nothing_else(then, now):
    """Added, removed, replaced: the captions are read again, from a bundle of another name."""
    old, new = recipe("m", ["scenes"], captions="1"), recipe(captions="1")
    committed, video = replace(FILM, sidecars=then), replace(FILM, sidecars=now)
    found, (one,) = planned(video, committed, old, new)
    assert found.reasons == {Reason.NEW_SIDECARS: 1}
    assert (one.tasks, one.signals) == ((), ("captions",))
    assert one.carried_key == committed.analysis_key(old.recipe_id) != one.analysis_key
    assert one.recipe_id == old.recipe_id
    assert planned(committed, committed, old, new)[0].reasons == {Reason.UNCHANGED: 1}


@pytest.mark.parametrize(("then", "now", "is_new"), [(True, False, True), (False, True, False)])
def test_a_sidecar_that_was_archived_is_read_once_it_is_restored(then, now, is_new):
    """And not given up when it is archived again."""
    committed, video = (replace(FILM, sidecars=(replace(SRT, is_archived=a),)) for a in (then, now))
    found, _ = planned(video, committed, recipe(captions="1"), recipe(captions="1"))
    assert found.reasons == {Reason.NEW_SIDECARS if is_new else Reason.UNCHANGED: 1}
    assert planned(committed, committed, recipe(captions="1"), recipe(captions="1"))[0].reasons == {
        Reason.UNCHANGED: 1
    }


@pytest.mark.parametrize("sidecar", [SRT, replace(SRT, is_archived=True)])
def test_plans_remember_parts_and_sidecars(sidecar):
    """Through the columns in which a million planned videos are held."""
    old, new = recipe("m", ["scenes"], captions="1"), recipe(captions="1")
    _, (one,) = planned(replace(FILM, sidecars=(sidecar,)), FILM, old, new)
    assert list(PlannedVideos.of([one])) == [one]


class Twins(OneCommit):
    """An index that knows one commit, which is looked for by its bytes."""

    def commits_with_content(self, content_revs):
        return [self.commit] if self.commit.content_rev in content_revs else []


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (recipe("m", ["scenes"], captions="1"), Reason.DUPLICATE),
        (recipe(captions="1"), Reason.NEW),
        (recipe("n", ["scenes"], captions="1"), Reason.NEW),
    ],
)
def test_a_copy_gets_answers_that_are_paid_for(new, reason):
    """Though signals are missing there, which cost little later; where signals are all, they are read now."""
    old, copy = recipe("m", ["scenes"]), replace(FILM, uri="s3://films/copy.mp4")
    revisions = (FILM.object_rev, FILM.content_rev)
    commit = CurrentCommit(
        1, FILM.video_id, FILM.analysis_key(old.recipe_id), *revisions, old.recipe_id, "rows", None
    )
    found = examine([FILM, copy], Twins(commit, old), new, False, of_sidecars=("captions",))
    assert found.reasons[reason] == 1
    assert len(found.relinked) == (reason is Reason.DUPLICATE)


def test_a_copy_beside_other_texts_reads_them_by_itself():
    """It gets the rows of its twin under a name of their own; the next run reads its sidecars."""
    new = recipe("m", ["scenes"], captions="1")
    copy = replace(FILM, uri="s3://films/copy.mp4", sidecars=(SRT,))
    revisions = (FILM.object_rev, FILM.content_rev)
    commit = CurrentCommit(
        1, FILM.video_id, FILM.analysis_key(new.recipe_id), *revisions, new.recipe_id, "rows", None
    )
    (one,) = examine([FILM, copy], Twins(commit, new), new, False, of_sidecars=("captions",)).relinked
    assert one.carried_key == commit.analysis_key
    assert one.analysis_key != copy.analysis_key(new.recipe_id), "which names what the next run makes"


def committed_as(video: VideoObject, made_by: RecipeRecord, sidecars_rev=None) -> CurrentCommit:
    """The commit of rows that a recipe made beside these texts."""
    revisions = (video.object_rev, video.content_rev)
    key = video.analysis_key(made_by.recipe_id)
    return CurrentCommit(1, video.video_id, key, *revisions, made_by.recipe_id, "rows", None, sidecars_rev)


class Several(OneCommit):
    """An index that knows several commits, also by their bytes."""

    def __init__(self, commits, *recipes) -> None:
        self.commits, self.recipes = commits, {one.recipe_id: one for one in recipes}

    def current_commits(self, video_ids):
        return {one.video_id: one for one in self.commits if one.video_id in video_ids}

    def commits_with_content(self, content_revs):
        return [one for one in self.commits if one.content_rev in content_revs]

    def uri_of(self, video_id, analysis_key):
        return "/films/gone.mp4"


COPY = replace(FILM, uri="s3://films/copy.mp4")
TOLD = replace(COPY, sidecars=(SRT,))


@pytest.mark.parametrize("tasks_of_said", [(), ("scenes",)])
def test_a_copy_that_has_its_rows_reads_its_own_texts(tasks_of_said):
    """Rows came from its twin, texts and all: the next run reads what lies beside it instead of giving it
    the same rows again."""
    new = recipe("m", ["scenes"], captions="1")
    index = Several([committed_as(FILM, new), committed_as(COPY, new)], new)
    found = examine([FILM, TOLD], index, new, False, ("captions",), tasks_of_said)
    assert found.reasons == {Reason.UNCHANGED: 1, Reason.NEW_SIDECARS: 1}
    (one,) = found.costly
    assert (one.video, one.tasks, one.signals) == (TOLD, tasks_of_said, ("captions",))
    assert one.carried_key == COPY.analysis_key(new.recipe_id)
    assert one.carried_id is None


def test_two_copies_with_new_texts_each_read_their_own():
    """In one run: neither takes the other's."""
    new = recipe("m", ["scenes"], captions="1")
    index = Several([committed_as(FILM, new), committed_as(COPY, new)], new)
    told = replace(FILM, sidecars=(replace(SRT, name="other.srt"),))
    found = examine([told, TOLD], index, new, False, ("captions",))
    assert found.reasons == {Reason.NEW_SIDECARS: 2}
    originals, copies = split_copies(found.costly)
    assert (list(originals.video_ids), len(copies)) == ([told.video_id, TOLD.video_id], 0)


def test_of_copies_that_lack_a_signal_one_is_read():
    """Neither waits for the other to have it; and one with answers of its own keeps them."""
    old, new = recipe("m", ["scenes"]), recipe("m", ["scenes"], captions="1")
    found = examine(
        [FILM, COPY], Several([committed_as(FILM, old), committed_as(COPY, old)], old), new, False
    )
    assert found.reasons == {Reason.MISSING_SIGNALS: 2}
    originals, copies = split_copies(found.costly)
    assert (list(originals.video_ids), [one.carried_id for one in copies]) == (
        [FILM.video_id],
        [FILM.video_id],
    )
    signals, unasked = recipe(captions="2"), recipe(captions="1")
    index = Several([committed_as(FILM, unasked), committed_as(COPY, old)], old, unasked)
    found = examine([FILM, COPY], index, signals, False)
    originals, copies = split_copies(found.costly)
    assert (len(originals), len(copies), len(found.relinked)) == (2, 0, 0)
    index = Several([committed_as(FILM, signals), committed_as(COPY, old)], old, signals)
    assert len(examine([FILM, COPY], index, signals, False).relinked) == 0
    index = Several([committed_as(FILM, signals), committed_as(COPY, unasked)], unasked, signals)
    assert len(examine([FILM, COPY], index, signals, False).relinked) == 1


def test_on_a_disk_only_the_model_is_spared():
    """Files that only look alike are told apart by a run, which then does one of them from the beginning."""
    new = recipe("m", ["scenes"], captions="1")
    old = recipe("m", ["scenes"])
    film, copy = (VideoObject(f"/films/{name}.mp4", 10, 1) for name in "ab")
    for made_by, num_relinked in ((old, 0), (recipe("n", ["scenes"], captions="1"), 1)):
        index = Several([committed_as(film, new), committed_as(copy, made_by)], old, new, made_by)
        assert len(examine([copy], index, new, True).relinked) == num_relinked


ASKED = ["scenes", "plates"]


def stale_beside_new_texts(old: RecipeRecord, new: RecipeRecord, failure_class=None):
    """Of rows that were made beside no texts, now that there are some; `scenes` tell what captions say."""
    recipes = {one.recipe_id: one for one in (old, new)}
    stale_rows = StaleRows(recipes.get, new, ("captions",), ("scenes",))
    commit = committed_as(FILM, old)._replace(failure_class=failure_class)
    stale = stale_rows.of(replace(FILM, sidecars=(SRT,)), commit)
    return stale.reason, stale.tasks, stale.signals


@pytest.mark.parametrize(
    ("new", "because", "tasks", "signals"),
    [
        (recipe("m", ASKED, captions="1", speech="1"), Reason.NEW_SIDECARS, ("scenes",), ("captions",)),
        (
            recipe("m", ASKED, captions="1", speech="2"),
            Reason.STALE_SIGNALS,
            ("scenes",),
            ("speech", "captions"),
        ),
        (recipe("m", ASKED, captions="2", speech="1"), Reason.STALE_SIGNALS, ("scenes",), ("captions",)),
        (recipe("m", [*ASKED, "cars"], captions="1"), Reason.MISSING, ("cars", "scenes"), ("captions",)),
        (recipe("n", ASKED, captions="1", speech="1"), Reason.STALE_MODEL, None, ("captions",)),
    ],
)
def test_new_texts_are_read_and_told_with_what_else_is_stale(new, because, tasks, signals):
    """In one go: each signal and each prompt once, and all prompts stay all."""
    old = recipe("m", ASKED, captions="1", speech="1")
    assert stale_beside_new_texts(old, new) == (because, tasks, signals)


def test_a_video_outside_a_domain_was_asked_nothing():
    """So another model is what it lacks, and not a newer one than that of its answers."""
    old = recipe("m", ASKED, captions="1")
    other = recipe("n", ASKED, captions="1")
    assert stale_beside_new_texts(old, other, FailureClass.DOMAIN) == (Reason.MISSING, None, ("captions",))
    assert stale_beside_new_texts(old, other)[0] is Reason.STALE_MODEL

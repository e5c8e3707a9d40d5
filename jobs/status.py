"""The verb `status`: what is in the index, the latest runs, failures by reason."""

from storage.catalog import Catalog, Result

SECTIONS = {
    "index": """
        select count(*) as videos,
               round(coalesce(sum(duration_ms), 0) / 3.6e6, 2) as hours,
               (select count(*) from scenes) as scenes,
               (select count(*) from characters) as characters,
               (select count(*) from highlights) as highlights,
               count(*) filter (is_partial) as partial,
               count(*) filter (is_degraded) as degraded,
               (select count(distinct video_id) from failures where action = 'quarantined') as set_aside
        from videos""",
    "latest runs": """
        select run_id,
               round(epoch(ended_at - started_at), 1) as seconds,
               exit_code,
               num_listed as listed,
               num_unchanged as unchanged,
               num_indexed as indexed,
               num_partial as partial,
               num_quarantined as set_aside,
               num_unfinished as unfinished,
               num_frames as frames
        from runs order by run_id desc limit 10""",
    "failures": """
        select failure_class, code, action, coalesce(prompt_id, '') as prompt, count(*) as count,
               min(uri) as example
        from failures group by all order by count desc, code""",
}


def read_status(catalog: Catalog) -> dict[str, Result]:
    """The sections of the status page by title."""
    return {title: catalog.query(query) for title, query in SECTIONS.items()}

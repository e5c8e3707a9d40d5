from schemas.answers import Answer, Layout


def answer_from_schema(name: str, schema_text: str, layout: Layout) -> type[Answer]:
    raise NotImplementedError

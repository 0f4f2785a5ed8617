"""The study file: read, checked, its grid crossed, down to the plain data that jobs read.

    text -> tree with line numbers -> schema -> grid -> scenarios, models

Whatever is wrong with it is an `hlm.errors.InputError` that says where and what is allowed.
"""

from typing import TYPE_CHECKING

from hlm.lazy_names import lazy_names

if TYPE_CHECKING:
    from hlm.study.schema import schema_text
    from hlm.study.study import Study

__all__ = ["Study", "schema_text"]

__getattr__ = lazy_names(__name__, {"Study": "hlm.study.study", "schema_text": "hlm.study.schema"})

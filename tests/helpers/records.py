"""Small tables of many cases with truths, as the files that a user would write."""

from __future__ import annotations

from pathlib import Path

CLAIMS = (
    "case,id,source,speaker,role,force,quantity,measure,since,as_of,published,qualifier,low,value,high,digits,"
    "statement,replaces,origin,report,url,note,exclude"
)
TRUTHS = "case,group,tier,force,population,quantity,start,end,as_of,low,value,high,basis,url"

# Three wars: the own side halves, the enemy doubles; one truth is of tier D, one is zero.
WARS = {
    "claims": [
        "a,a1,x_army,,own,x,killed,cumulative,,2001-05-01,2001-05-02,exact,,52,,,,,,,,,",
        "a,a2,y_army,,adversary,x,killed,cumulative,,2001-05-01,2001-05-02,about,,210,,,,,,,,,",
        "b,b1,z_army,,own,z,killed,cumulative,,2002-03-10,2002-03-12,exact,,480,,,s1,,,,,,",
        "b,b2,z_army,,own,z,wounded,cumulative,,2002-03-10,2002-03-12,exact,,1200,,,s1,,,,,,",
        "b,b3,w_army,,adversary,z,killed,cumulative,,2002-04-30,2002-05-12,range,1500,,2500,,,,,,,,",
        "c,c1,v_army,,adversary,v,aircraft,cumulative,,2003-07-01,2003-07-01,exact,,40,,,,,,,,,",
        "c,c2,v_side,,own,v,aircraft,cumulative,,2003-07-01,2003-07-01,exact,,9,,,,,,,,,",
        "d,d1,v_army,,adversary,u,killed,cumulative,,2003-07-02,2003-07-02,at_least,,600,,,,,,,,,",
    ],
    "truths": [
        "a,war_a,A,x,,killed,2001-05-01,2001-05-01,2001-05-01,100,100,104,a list,",
        "b,war_b,B,z,,killed,2002-03-01,2002-04-30,2002-04-30,900,,1100,a study,",
        "c,war_c,A,v,,aircraft,2003-07-01,2003-07-01,2003-07-01,,20,,a return,",
        "d,war_c,A,u,,killed,2003-07-02,2003-07-02,2003-07-02,,0,,an inspection,",
    ],
}


def write_record(folder: Path, claims: list[str] | None = None, truths: list[str] | None = None) -> tuple[Path, Path]:
    """Write a table of claims and one of truths; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "claims.csv", folder / "truth.csv"
    lists = (
        (CLAIMS, WARS["claims"] if claims is None else claims),
        (TRUTHS, WARS["truths"] if truths is None else truths),
    )
    for path, (head, rows) in zip(paths, lists, strict=True):
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return paths

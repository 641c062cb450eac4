"""Rows of `claims.csv` drafted from articles, each for a person to confirm; the rules are a table, `english.toml`.

From the article to the row: `articles` reads, with what its head tells (`heads`); `grammar` reads sentences;
`drafting` puts a row together, with its days (`dating`), its words (`phrasing`) and what repeats what (`echoes`);
`entering` writes rows into a case, `reviewing` walks through them.

May import `case`, `system` and the top.
"""

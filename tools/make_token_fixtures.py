#!/usr/bin/env python3
"""Write tests/fixtures/tokens.jsonl: awkward texts and the ids transformers' BertTokenizerFast gives them.

    make_token_fixtures.py > tests/fixtures/tokens.jsonl

A line is one vocabulary with its options and examples. The large vocabularies hold single characters only, so that
the ids show what normalising and splitting did to each of them.
"""
import json

from transformers import BertTokenizerFast

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
AWKWARD = [
    "", " ", "Hello, World!", "Café", "cafe\u0301", "İstanbul", "ẞ ß", "バス が", "한국", "的人a人",
    "\U0001f600 ok \U0001f468\u200d\U0001f469", "this[SEP]a", "[mask]", "[ SEP ]", "[MASK] and [CLS][UNK]",
    "[[SEP]]", "\xa0non\u2009breaking\u3000space", "zero\u200bwidth\u200djoiner", "soft\xadhyphen",
    "\x01control\x7f\x85", "a\x00b", "�gone", "\ue000private", "שלום", "مرحبا", "ΣΊΣΥΦΟΣ", "ﬁ ①② x²", "$5+3=8",
    "~`^|<>", "«quoted» “curly” …", "a\u0338b", "가", "\U0002f81a", "\U00020000", "\U0002b830", "\u2028line",
    "naïve don't U.S.A.", "１２３", "ǅ ŉ \u0345", "— ¿¡", "ไทย", "##ing", "new ⹃ dash", "᙭ \u1734 \U000111c9",
    "\u0378", "a\tb\r\nc\x0bd", "\u05b8\u05b4", "\u1885a\ua9bd", "\x85\u1680\u180e", "\u0340\u0344", "ÅÅ Å",
    "ᾈ Ὰ", "バス", "한국어", "\U0001f600 emoji \U0001f468\u200d\U0001f469", "[MASK] and [CLS]", "�replacement",
    "שלום עליכם", "ﬁ ligature", "①②", "x²", "naïve coöperate", "don't won't", "U.S.A.", "ǅ", "ŉ", "\u0345",
    "Ω ohm", "…", "—", "¿¡", "१२", "unaffable", "ж" * 100, "ж" * 101,
]


def reference(vocabulary, **options):
    ids = {token: number for number, token in enumerate(vocabulary)}
    return BertTokenizerFast(vocab=ids, **options)


def characters(texts, **options):
    """Every character that is left of the texts, at the start of a word and inside it; q is left out."""
    backend = reference(SPECIALS, **options).backend_tokenizer
    found = set()
    for text in texts:
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text)):
            found.update(word)
    found = sorted(found - {"q"})
    return SPECIALS + found + ["##" + character for character in found]


def example(tokenizer, text, pair=None, max_length=None):
    limit = {"truncation": True, "max_length": max_length} if max_length else {}
    result = tokenizer([text], **limit) if pair is None else tokenizer([text], [pair], **limit)
    return {"text": text, "pair": pair, "max_length": max_length or 512, "ids": result.input_ids[0],
            "segments": result.token_type_ids[0]}


def group(name, vocabulary, inputs, do_lower_case=True, strip_accents=None, tokenize_chinese_chars=True):
    tokenizer = reference(vocabulary, do_lower_case=do_lower_case, strip_accents=strip_accents,
                          tokenize_chinese_chars=tokenize_chinese_chars)
    examples = [example(tokenizer, *texts) for texts in inputs]
    known = [number for entry in examples for number in entry["ids"] if number >= len(SPECIALS)]
    assert known, name
    print(json.dumps({"name": name, "vocabulary": vocabulary, "do_lower_case": do_lower_case,
                      "strip_accents": do_lower_case if strip_accents is None else strip_accents,
                      "tokenize_chinese_chars": tokenize_chinese_chars, "examples": examples}))


def awkward_group(name, **options):
    group(name, characters(AWKWARD, **options), [(text,) for text in AWKWARD], **options)


def main():
    awkward_group("lower case, accents stripped")
    awkward_group("cased, accents kept", do_lower_case=False)
    awkward_group("lower case, accents kept", strip_accents=False)
    awkward_group("cased, accents stripped", do_lower_case=False, strip_accents=True)
    awkward_group("ideographs kept together", tokenize_chinese_chars=False)
    words = SPECIALS + ["ж", "##ж", "un", "##aff", "##able", "##a", "the", "this", "a", "[", "]", "mask", "sep"]
    texts = ["ж" * 60, "ж" * 100, "ж" * 101, "unaffable", "unaffablex", "the unaffable x", "this[SEP]a", "[mask]",
             "[ SEP ]", "a" * 100, "a" * 101]
    group("words", words, [(text,) for text in texts])
    lengths = [(8, 8, 12), (7, 8, 12), (8, 7, 12), (4, 9, 12), (2, 12, 10), (12, 2, 10), (0, 12, 8), (5, 5, 3),
               (5, 5, 4), (12, 0, 8), (3, 3, 9), (9, 9, 9), (1, 9, 5)]
    group("pairs", SPECIALS + ["a", "b"],
          [(" ".join("a" * first), " ".join("b" * second), limit) for first, second, limit in lengths])
    group("single sentences", SPECIALS + ["a"], [(" ".join("a" * 8), None, limit) for limit in (2, 3, 9, 10, 11)])


if __name__ == "__main__":
    main()

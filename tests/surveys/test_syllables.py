"""Syllables that everybody can count aloud, sentences that everybody can see, and scores that are published."""

import pytest

from surveys.readability import reading_ease, sentences, words
from surveys.syllables import count

# The syllables of the Dutch word list (hyphenation), loan words as they are said; figures and abbreviations are one.
DUTCH = {
    1: """
        ik u de een het huis fiets boom school werk geld baan vraag man vrouw kind dag week maand jaar reis
        blauw nieuw nieuws eeuw leeuw ruw duw sneeuw mooi fraai groei bloei haai kooi zee knie tijd lijst ijs
        zij mij boer goed doen boek app team teams coach jeans pleit loon ziek heeft bent strengst herfst mijn
        zijn hun ooit nooit zo'n 's één mbo UWV zzp'er 27-3-1985 1.250 naam@voorbeeld.nl bijv. d.w.z. wij
    """,
    2: """
        werken leren vragen antwoord cursus scholing loopbaan ruimte ruzie reizen buiten blauwe nieuwe eeuwen
        schreeuwen duwen sneeuwen mooie fraaie draaien gooien groeien boeien haaien roeien zeeën idee knieën
        cliënt bureau cadeau niveau premie serie studie studies lachen zingen koning bijna altijd tijden gelijk
        ijzer eerlijk moeite boeren hoeveel goede zoeken boeken laptop e-mail website websites online training
        trainer coachen coaching jobcoach feedback baby baby's weekend software email mailen chaos duo euro
        euro's neutraal auto auto's juni actie acties functie functies werkloos gratis kosten ziekte afspraak
        gesprek adres schrijven gevraagd hebben kunnen misschien angstschreeuw systeem type yoga royaal onze
        jullie niemand iemand ieder zeeman foto's achttien miljoen duizend milieu monteur chauffeur toilet essay
        hockey viool quotum reëel geëerd naïef moeilijk bijeen blije café dieet fulltime parttime buiig skiën
        crisis IJsland aanvraag leeftijd deeltijd voltijd
    """,
    3: """
        opleiding adviseur werkgever werknemer ideeën reünie ruïne egoïst België Belgische Azië patiënt cliënten
        radio studio video museum station vakantie politie bijdrage bijzonder mogelijk dagelijks eigenlijk
        gelukkig computer internet manager interview theater theorie dialoog piano Europa augustus directie
        diploma diploma's uitkering werkloosheid salaris inkomen verdienen betalen gezondheid vertrouwen privacy
        gegevens persoonlijk toestemming onderzoek vragenlijst deelnemen deelnemer gesprekken telefoon
        geschreven geopend tevreden helemaal gymnastiek hypotheek iedereen overal eieren meeëten zee-egel
        twee-eenheid serieus douane actueel pensioen kampioen medium ideaal creëren ooievaar poëzie vacuüm
        manoeuvre naoorlogs bijeenkomst nieuwsgierig freelancer teamleider enquête rijbewijs ervaring
        arbeidsmarkt vaardigheid omscholing bijscholing subsidie aanvragen Nederlands Turkije Marokko Antillen
        dienstverband
    """,
    4: """
        ontwikkeling beëindigen financiën financieel officieel Italië efficiënt variëren nationaal informatie
        situatie motivatie financieren Europese automatisch januari februari vacature vacatures certificaat
        vertrouwelijk onderzoeker geïnformeerd beantwoorden geadviseerd beïnvloeden ontevreden vijfentwintig
        tweeëntwintig ingenieur interieur aquarium ideale hiërarchie reageren bacteriën Oekraïne intuïtie
        egoïsme goeiemorgen uitoefenen materieel januari's ingrediënt vrijwilliger vaardigheden zelfstandige
        begeleiding Suriname uitzendbureau arbeidscontract
    """,
    5: """
        ontwikkeladvies coördinatie coöperatie geïnteresseerd officiële organisatie sollicitatie solliciteren
        arbeidsongeschikt persoonsgegevens telefoonnummer auto-ongeluk individueel radioactief universiteit
        geboortedatum
    """,
    6: """
        internationaal sollicitatiebrief werkloosheidsuitkering nationaliteit
    """,
    8: """
        ziektekostenverzekering
    """,
}
ENGLISH = {
    1: """
        a the be we you your work worked job train trained course guess guide quick queue try tried changed
        called helped asked makes takes yes young year years friend friends field height weight eye eyes buy say
        said month months week weeks twelve hour hours skill skills don't it's health breathe whole while whose
        2026 name@example.org oil coin fruit build suit tour their there here where
    """,
    2: """
        working training courses open very any many money people table little able question questions station
        special patient client quiet science create value valued language being doing going seeing study studied
        studies carried employed statement safety safely useful careful homeless business service changes needed
        wanted handled answered offered required houses boxes teaches wishes apply applied yellow system rhythm
        lion union million cousin conscious anxious believe receive seven income contract career advice advise
        future address e-mail online website isn't couldn't healthy people's fluent cruel fuel poem ruin mayor
        layer player lawyer higher lower fewer somewhere
    """,
    3: """
        possible area idea official efficient previous period radio video created reaction theatre usual actual
        continue studying employee employer unemployed agreement services tourism museum opinion various serious
        religious courageous eleven salary permanent satisfied adviser computer telephone influence poetry
    """,
    4: """
        reliable education educated information experience society reality usually situation unemployment
        application temporary satisfaction participant participants voluntary coordinate cooperate
    """,
    5: """
        individual evaluation enthusiasm organisation
    """,
}


def wrong(words: dict[int, str], language: str) -> list[tuple[str, int, int]]:
    listed = [(word, syllables) for syllables, some in words.items() for word in some.split()]
    assert len(listed) > 200
    return [
        (word, syllables, count(word, language)) for word, syllables in listed if count(word, language) != syllables
    ]


def test_dutch_words_have_the_syllables_that_are_heard():
    assert wrong(DUTCH, "nl") == []


def test_english_words_have_the_syllables_that_are_heard():
    assert wrong(ENGLISH, "en") == []


def test_capitals_other_marks_and_ligatures_change_nothing():
    assert count("IDEEËN", "nl") == count("ideee\u0308n", "nl") == 3
    assert count("ĳs", "nl") == count("IJS", "nl") == 1
    assert count("zo’n", "nl") == count("zo'n", "nl") == 1
    assert count("auto\u2011ongeluk", "nl") == 5


@pytest.mark.parametrize(
    "word", ["2026", "1.250,50", "27-3-1985", "bijv.", "d.w.z", "jan@voorbeeld.nl", "hbo", "B", "3e"]
)
def test_figures_abbreviations_and_addresses_are_one_syllable(word: str):
    assert count(word, "nl") == count(word, "en") == 1


def test_a_language_without_rules_is_refused():
    with pytest.raises(KeyError):
        count("merhaba", "tr")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bijv. een cursus. Dat mag.", ["Bijv. een cursus.", "Dat mag."]),
        ("Dr. Jansen komt, d.w.z. morgen. Hij helpt.", ["Dr. Jansen komt, d.w.z. morgen.", "Hij helpt."]),
        ("Dat kost EUR 1.000 per jaar. Is 3.5 te veel?", ["Dat kost EUR 1.000 per jaar.", "Is 3.5 te veel?"]),
        ('Hij vroeg: "Wilt u dat?" en liep weg.', ['Hij vroeg: "Wilt u dat?" en liep weg.']),
        ('"Wilt u?" Dat vroeg zij.', ['"Wilt u?"', "Dat vroeg zij."]),
        ("“Mag dat?” (Ja.) Goed.", ["“Mag dat?”", "(Ja.)", "Goed."]),
        ("Op 3 jan. 2026 begint het. In jan. Niet eerder.", ["Op 3 jan. 2026 begint het.", "In jan.", "Niet eerder."]),
        ("Bel tel. 06 12345678. Vraag naar mevr. De Wit.", ["Bel tel. 06 12345678.", "Vraag naar mevr. De Wit."]),
        ("J. Jansen werkt. Kies optie B. Ga door.", ["J. Jansen werkt.", "Kies optie B.", "Ga door."]),
        ("1. Vul in. 2. Stuur op.", ["1. Vul in.", "2. Stuur op."]),
        ("Ga naar www.voorbeeld.nl. Klik daar.", ["Ga naar www.voorbeeld.nl.", "Klik daar."]),
        ("Ja. ’s Avonds werk ik. 's Morgens niet.", ["Ja.", "’s Avonds werk ik.", "'s Morgens niet."]),
        ("Werkt u? ja of nee", ["Werkt u?", "ja of nee"]),
        ("Werk, opleiding, enz. Daarna rust.", ["Werk, opleiding, enz.", "Daarna rust."]),
        ("Stop!! Wat nu?! Niets… Einde", ["Stop!!", "Wat nu?!", "Niets…", "Einde"]),
        ("Це перше. Це друге!", ["Це перше.", "Це друге!"]),
        ("Şimdi olur. İyi mi?", ["Şimdi olur.", "İyi mi?"]),
        ("هذا أول. هذا ثان؟ نعم.", ["هذا أول.", "هذا ثان؟", "نعم."]),
    ],
)
def test_sentences_end_where_a_reader_sees_them_end(text: str, found: list[str]):
    assert sentences(text) == found


def test_words_are_what_stands_between_blanks():
    assert words("Mail jan.de.vries@voorbeeld.nl of kijk op www.voorbeeld.nl/uitleg.") == [
        "Mail", "jan.de.vries@voorbeeld.nl", "of", "kijk", "op", "www.voorbeeld.nl/uitleg",
    ]  # fmt: skip
    assert words("EUR 1.250,50 d.w.z. 12 uur à 14:30, o.a. 3e keer (27-3-1985)") == [
        "EUR", "1.250,50", "d.w.z", "12", "uur", "à", "14:30", "o.a", "3e", "keer", "27-3-1985",
    ]  # fmt: skip


def test_published_scores_are_met():
    """The two examples of the English formula that encyclopaedias print: 116 and 37.5."""
    assert reading_ease("The cat sat on the mat.", "en") == pytest.approx(116.145)
    platypus = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."
    assert reading_ease(platypus, "en") == pytest.approx(37.455, abs=0.01)

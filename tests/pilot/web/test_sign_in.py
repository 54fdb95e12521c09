"""Staff sign in: password, authenticator app, recovery; and what somebody who guesses or steals does not get."""

from __future__ import annotations

import re
import time

import pytest
from passlib.totp import TOTP
from sqlalchemy import select

from pilot.app import create_app
from pilot.errors import SettingsError
from pilot.models import Attempt, User

EMAIL = "advisor@noord.nl"
PASSWORD = "vier woorden die ik onthoud"
NEW = "een heel ander wachtwoord"
SITE = "https://pilot.example.org"


def user(house) -> User:
    with house.database.reading() as session:
        found = session.scalar(select(User).where(User.email == EMAIL))
        assert found is not None
        return found


def code_for(page: str) -> str:
    """What the app on a telephone shows after somebody typed the letters of the page into it."""
    key = re.search(r'<span class="code">([A-Z0-9-]+)</span>', page)
    assert key
    return TOTP(key[1].replace("-", "")).generate().token


def later_code(key: str) -> str:
    """The code after the one that was used a moment ago: each is taken once."""
    return TOTP(key).generate(time=time.time() + 30).token


def set_up_the_app(house, client) -> str:
    """Signs in, sets up the authenticator app as production demands, and gives the letters behind its codes."""
    answer = house.post(client, "/login", email=EMAIL, password=PASSWORD)
    assert answer.location == "/tf-setup"
    page = house.post(client, "/tf-setup", setup="authenticator").text
    key = re.search(r'<span class="code">([A-Z0-9-]+)</span>', page)
    assert key
    form = {"code": code_for(page), "csrf_token": house.csrf(page)}
    done = client.post("/tf-validate", data=form, base_url=SITE, headers={"Referer": SITE})
    assert done.status_code == 302, done.text
    return key[1].replace("-", "")


@pytest.fixture
def production(new_house):
    return new_house(kind="production", base_url=SITE)


def test_the_right_password_opens_the_desk(house):
    client = house.signed_in(EMAIL)
    page = client.get("/desk")
    assert "Dag, Advisor" in page.text
    assert "adviseur" in page.text


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "een verkeerd wachtwoord"), ("nobody@noord.nl", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_get_the_same_words(house, email, password):
    client = house.visitor()
    page = house.post(client, "/login", email=email, password=password)
    assert "Het e-mailadres of het wachtwoord klopt niet." in page.text
    assert "kent" not in page.text
    assert client.get("/desk").status_code == 302


def test_passwords_are_kept_as_argon2_over_a_second_secret(house):
    assert user(house).password.startswith("$argon2id$")


def test_signing_out_is_a_post_and_makes_old_cookies_worthless(house):
    client = house.signed_in(EMAIL)
    stolen = client.get_cookie("session").value
    assert client.get("/logout").status_code == 405
    assert client.get("/desk").status_code == 200
    assert house.post(client, "/logout", page="/desk").status_code == 302
    assert client.get("/desk").status_code == 302
    thief = house.visitor()
    thief.set_cookie("session", stolen)
    assert thief.get("/desk").status_code == 302


def test_a_post_without_its_mark_is_refused_and_nothing_happens(house):
    client = house.signed_in(EMAIL)
    answer = client.post("/logout")
    assert answer.status_code == 400
    assert "stond te lang open" in answer.text
    assert client.get("/desk").status_code == 200


def test_guessing_is_stopped(new_house):
    house = new_house(login_limit="4 per minute")
    client = house.visitor()
    answers = [house.post(client, "/login", email=EMAIL, password=f"gok nummer {n} is fout") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "Te veel pogingen" in answers[-1].text


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(house):
    stolen = house.signed_in(EMAIL)
    client = house.visitor()
    house.post(client, "/reset", email=EMAIL)
    (letter,) = house.settings.outbox.glob("*.eml")
    path = re.search(r"/reset/\S+", letter.read_text().replace("=\n", "").replace("=3D", "="))
    assert path
    done = house.post(client, path[0], password=NEW, password_confirm=NEW)
    assert done.status_code == 302
    assert stolen.get("/desk").status_code == 302
    assert house.signed_in(EMAIL, NEW).get("/desk").status_code == 200
    again = client.get(path[0])
    assert again.status_code == 302
    assert "/reset" in again.location


def test_asking_for_a_new_password_does_not_tell_who_has_an_account(house):
    pages = []
    for email in (EMAIL, "nobody@noord.nl"):
        answer = house.post(house.visitor(), "/reset", email=email)
        pages.append(re.sub(r'value="[^"]*"', "", answer.text).replace(email, "…"))
    assert pages[0] == pages[1]
    assert len(list(house.settings.outbox.glob("*.eml"))) == 1


def test_a_password_is_changed_by_who_knows_the_old_one(house):
    client = house.signed_in(EMAIL)
    wrong = house.post(client, "/change", password="niet het oude", new_password=NEW, new_password_confirm=NEW)
    assert "klopt niet" in wrong.text
    short = house.post(client, "/change", password=PASSWORD, new_password="kort", new_password_confirm="kort")
    assert "minstens 12 tekens" in short.text
    done = house.post(client, "/change", password=PASSWORD, new_password=NEW, new_password_confirm=NEW)
    assert done.status_code == 302
    assert house.signed_in(EMAIL, NEW).get("/desk").status_code == 200


def test_in_production_nobody_gets_in_without_the_app(production):
    client = production.visitor()
    assert production.post(client, "/login", email=EMAIL, password=PASSWORD).location == "/tf-setup"
    assert client.get("/desk", base_url=SITE).status_code == 302


def test_in_production_password_and_code_together_let_somebody_in(production):
    client = production.visitor()
    key = set_up_the_app(production, client)
    assert client.get("/desk", base_url=SITE).status_code == 200
    other = production.visitor()
    assert "/tf-validate" in production.post(other, "/login", email=EMAIL, password=PASSWORD).location
    wrong = production.post(other, "/tf-validate", code="000000")
    assert "Deze code klopt niet" in wrong.text
    assert other.get("/desk", base_url=SITE).status_code == 302
    assert production.post(other, "/tf-validate", code=later_code(key)).status_code == 302
    assert other.get("/desk", base_url=SITE).status_code == 200


def test_a_code_of_the_app_is_taken_once(production):
    key = set_up_the_app(production, production.visitor())
    code, opened = later_code(key), []
    for _browser in range(2):
        client = production.visitor()
        production.post(client, "/login", email=EMAIL, password=PASSWORD)
        production.post(client, "/tf-validate", code=code)
        opened.append(client.get("/desk", base_url=SITE).status_code)
    assert opened == [200, 302]


def test_the_code_that_set_up_the_app_does_not_sign_in_again(production):
    client = production.visitor()
    key = set_up_the_app(production, client)
    used = user(production).totp_used
    other = production.visitor()
    production.post(other, "/login", email=EMAIL, password=PASSWORD)
    answer = production.post(other, "/tf-validate", code=TOTP(key).generate(time=30 * used).token)
    assert "Deze code klopt niet" in answer.text
    assert other.get("/desk", base_url=SITE).status_code == 302


def test_a_first_password_opens_nothing_until_it_is_changed(house):
    with house.database.writing() as session:
        session.scalar(select(User).where(User.email == EMAIL)).first_password = True
    client = house.signed_in(EMAIL)
    for path in ("/desk", "/noord/caseload", "/account"):
        assert client.get(path).location == "/change"
    assert "eerste wachtwoord" in client.get("/change").text
    same = house.post(client, "/change", password=PASSWORD, new_password=PASSWORD, new_password_confirm=PASSWORD)
    assert same.status_code == 200
    assert client.get("/desk").location == "/change"
    assert (
        house.post(client, "/change", password=PASSWORD, new_password=NEW, new_password_confirm=NEW).status_code == 302
    )
    assert client.get("/desk").status_code == 200
    assert not user(house).first_password


def test_who_has_a_first_password_can_sign_out(house):
    with house.database.writing() as session:
        session.scalar(select(User).where(User.email == EMAIL)).first_password = True
    client = house.signed_in(EMAIL)
    assert house.post(client, "/logout", page="/change").status_code == 302
    assert client.get("/change").status_code == 302


def test_a_recovery_code_replaces_the_app_once(production):
    client = production.visitor()
    set_up_the_app(production, client)
    page = production.post(client, "/mf-recovery-codes")
    codes = re.findall(r'<li class="code">([^<]+)</li>', page.text)
    assert len(codes) == 8
    for expected in (302, 200):
        other = production.visitor()
        production.post(other, "/login", email=EMAIL, password=PASSWORD)
        assert production.post(other, "/mf-recovery", code=codes[0]).status_code == expected


def test_the_secret_of_the_app_is_not_readable_in_the_database(production):
    key = set_up_the_app(production, production.visitor())
    assert key not in str(user(production).tf_totp_secret)


def test_the_cookie_of_a_session_travels_over_https_only_and_is_out_of_reach_of_scripts(production):
    answer = production.visitor().get("/login", base_url=SITE)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie


def test_signing_in_gives_a_new_session(house):
    client = house.visitor()
    client.get("/login")
    before = client.get_cookie("session").value
    house.post(client, "/login", email=EMAIL, password=PASSWORD)
    assert client.get_cookie("session").value != before


def test_a_session_ends_after_the_working_day_however_busy_it_was(house):
    client = house.signed_in(EMAIL)
    with client.session_transaction() as cookie:
        cookie["fs_paa"] -= house.settings.session_hours * 3600 - 60
    assert client.get("/desk").status_code == 200
    with client.session_transaction() as cookie:
        cookie["fs_paa"] -= 120
    assert client.get("/desk").status_code == 302


def test_guessing_is_stopped_whichever_process_answers(new_house):
    house = new_house(login_limit="4 per minute; 50 per hour")
    another = create_app(house.settings, clock=lambda: house.now)
    visitors = [house.visitor(), another.test_client()]
    statuses = [
        house.post(visitors[n % 2], "/login", email=EMAIL, password="gok dat is fout").status_code for n in range(6)
    ]
    another.extensions["adviespilot"].database.dispose()
    assert statuses == [200, 200, 200, 200, 429, 429]


def test_neither_another_address_of_the_same_connection_nor_a_form_undone_escapes_the_count(new_house):
    house = new_house(login_limit="3 per minute")
    client, statuses = house.visitor(), []
    for last in range(4):
        token = house.csrf(client.get("/login").text)
        form = {"email": EMAIL, "password": "gok dat is fout", "csrf_token": token}
        there = {"REMOTE_ADDR": f"2001:db8:1:2::{last + 1}"}
        statuses.append(client.post("/login", data=form, environ_overrides=there).status_code)
    assert statuses == [200, 200, 200, 429]
    assert house.post(house.visitor(), "/login", email=EMAIL, password=PASSWORD).status_code == 302
    with house.database.reading() as session:
        kept = "".join(session.scalars(select(Attempt.key_hash)))
    assert "2001" not in kept
    assert "login" not in kept


def test_a_limit_that_is_none_stops_the_start_and_says_how_to_write_one(new_house):
    with pytest.raises(SettingsError, match="10 per minute"):
        new_house(login_limit="often")

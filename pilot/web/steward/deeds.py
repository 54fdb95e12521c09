"""What the events of the record are called where people read them."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

NAMES: dict[str, object] = {
    "advisor_assigned": _("advisor appointed"),
    "allocated": _("drawn"),
    "allocation_override": _("note: the draw was not followed"),
    "allocation_replace": _("note: replaced"),
    "allocation_stratum_error": _("note: wrong stratum"),
    "allocation_unblind": _("note: told the group"),
    "allocation_withdraw": _("note: withdrew"),
    "answer_corrected": _("answer mended"),
    "catalogue_imported": _("catalogue taken in"),
    "clock_moved": _("clock moved"),
    "consent": _("consent asked"),
    "contact_corrected": _("contact data mended"),
    "contact_forgotten": _("contact data removed"),
    "contact_given": _("contact data given"),
    "duplicate_judged": _("duplicate judged"),
    "enrolled": _("signed up"),
    "freeze_destroyed": _("replaced data destroyed"),
    "frozen": _("data frozen"),
    "gift_card_claimed": _("gift card looked at"),
    "gift_card_given": _("gift card given"),
    "gift_cards_imported": _("gift cards taken in"),
    "invitation_opened": _("invitation opened"),
    "invited_forgotten": _("list of invited people removed"),
    "key_revealed": _("key of the draw revealed"),
    "letters_handed_over": _("letters handed over"),
    "letters_posted": _("letters posted"),
    "list_imported": _("list taken in"),
    "look_opened": _("look opened"),
    "message_decided": _("decided whether a message went out"),
    "message_sent": _("message sent"),
    "message_bounced": _("message came back"),
    "password_replaced": _("first password given"),
    "own_data_handed_over": _("own data handed over"),
    "participants_imported": _("participants taken in"),
    "performance_confirmed": _("statement confirmed"),
    "performance_stated": _("statement signed"),
    "pilot_closed": _("recruitment closed"),
    "pilot_created": _("pilot made"),
    "plan_written": _("plan written"),
    "protocol_locked": _("protocol locked"),
    "protocol_proposed": _("protocol proposed"),
    "published": _("numbers published"),
    "recruitment_started": _("recruitment started"),
    "referred": _("referred"),
    "role_given": _("role given"),
    "screened": _("screened"),
    "session_logged": _("talk logged"),
    "paper_printed": _("form on paper printed"),
    "paper_typed": _("form on paper typed over"),
    "paper_reconciled": _("differences on paper decided"),
    "submitted": _("list sent"),
    "user_activated": _("let in again"),
    "user_deactivated": _("kept out"),
    "voucher_issued": _("voucher given"),
    "voucher_redeemed": _("voucher spent"),
    "withdrawn": _("stopped"),
}


def name_of(kind: str) -> str:
    """The words for a kind of event; a kind without words, from a later version, as it stands in the record."""
    return str(NAMES.get(kind) or kind.replace("_", " "))

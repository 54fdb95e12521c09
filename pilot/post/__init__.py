"""What messages say and how they leave: e-mail, text message, letter; a file where no provider is set."""

from pilot.post.sending import deliver

__all__ = ["deliver"]

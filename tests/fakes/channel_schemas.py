"""What Slack and Teams take, as JSON schemas after their public documentation: only what syncd may send is allowed.

Slack: docs.slack.dev/reference/block-kit/blocks/rich-text-block and .../blocks (50 blocks a message); a text of a section has at most 3,000 characters, and so
has each element here. Teams: adaptivecards.io/explorer (RichTextBlock, TextRun, Action.OpenUrl), version 1.4; a message of a webhook has 28 KB.
"""

from typing import Any

import fastjsonschema

TEAMS_BYTES = 28 * 1024
_URL = {"type": "string", "pattern": "^https?://[^\\s<>|]+$", "maxLength": 3000}
_SLACK_TEXT = {
    "type": "object",
    "properties": {
        "type": {"const": "text"},
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
        "style": {"type": "object", "properties": {"bold": {"type": "boolean"}}, "additionalProperties": False},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
_SLACK_LINK = {
    "type": "object",
    "properties": {
        "type": {"const": "link"},
        "url": _URL,
        "text": {"type": "string", "minLength": 1, "maxLength": 3000},
    },
    "required": ["type", "url", "text"],
    "additionalProperties": False,
}
_SLACK_SECTION = {
    "type": "object",
    "properties": {
        "type": {"const": "rich_text_section"},
        "elements": {"type": "array", "minItems": 1, "items": {"anyOf": [_SLACK_TEXT, _SLACK_LINK]}},
    },
    "required": ["type", "elements"],
    "additionalProperties": False,
}
_SLACK_CODE = {
    "type": "object",
    "properties": {
        "type": {"const": "rich_text_preformatted"},
        "elements": {"type": "array", "minItems": 1, "items": _SLACK_TEXT},
    },
    "required": ["type", "elements"],
    "additionalProperties": False,
}
_SLACK_LIST = {
    "type": "object",
    "properties": {
        "type": {"const": "rich_text_list"},
        "style": {"const": "bullet"},
        "elements": {"type": "array", "minItems": 1, "items": _SLACK_SECTION},
    },
    "required": ["type", "style", "elements"],
    "additionalProperties": False,
}
_SLACK_BLOCK = {
    "type": "object",
    "properties": {
        "type": {"const": "rich_text"},
        "elements": {"type": "array", "minItems": 1, "items": {"anyOf": [_SLACK_SECTION, _SLACK_CODE, _SLACK_LIST]}},
    },
    "required": ["type", "elements"],
    "additionalProperties": False,
}
SLACK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 4000},
        "mrkdwn": {"const": False},
        "unfurl_links": {"const": False},
        "unfurl_media": {"const": False},
        "blocks": {"type": "array", "minItems": 1, "maxItems": 50, "items": _SLACK_BLOCK},
    },
    "required": ["text", "mrkdwn", "unfurl_links", "unfurl_media", "blocks"],
    "additionalProperties": False,
}
_OPEN = {
    "type": "object",
    "properties": {"type": {"const": "Action.OpenUrl"}, "url": _URL, "title": {"type": "string", "minLength": 1}},
    "required": ["type", "url"],
    "additionalProperties": False,
}
_RUN = {
    "type": "object",
    "properties": {
        "type": {"const": "TextRun"},
        "text": {"type": "string", "minLength": 1},
        "weight": {"enum": ["Default", "Lighter", "Bolder"]},
        "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
        "fontType": {"enum": ["Default", "Monospace"]},
        "color": {"enum": ["Default", "Accent"]},
        "selectAction": _OPEN,
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
_RICH = {
    "type": "object",
    "properties": {
        "type": {"const": "RichTextBlock"},
        "spacing": {"enum": ["None", "Small", "Default", "Medium", "Large"]},
        "inlines": {"type": "array", "minItems": 1, "items": _RUN},
    },
    "required": ["type", "inlines"],
    "additionalProperties": False,
}
_CARD = {
    "type": "object",
    "properties": {
        "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
        "type": {"const": "AdaptiveCard"},
        "version": {"const": "1.4"},
        "fallbackText": {"type": "string", "minLength": 1, "maxLength": 200},
        # Mentions need `entities` here.
        "msteams": {"type": "object", "properties": {"width": {"const": "Full"}}, "additionalProperties": False},
        "body": {"type": "array", "minItems": 1, "items": _RICH},
        "actions": {
            "type": "array",
            "minItems": 1,
            "maxItems": 6,
            "items": {**_OPEN, "required": ["type", "url", "title"]},
        },
    },
    "required": ["$schema", "type", "version", "body"],
    "additionalProperties": False,
}
TEAMS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": "null"},
                    "content": _CARD,
                },
                "required": ["contentType", "content"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["type", "attachments"],
    "additionalProperties": False,
}

check_slack = fastjsonschema.compile(SLACK)
check_teams = fastjsonschema.compile(TEAMS)

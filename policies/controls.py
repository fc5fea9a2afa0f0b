"""The controls that policies serve, as their frameworks number them, and what about each no code here can prove.

Sources: AICPA Trust Services Criteria 2017 (points of focus of 2022), Regulation (EU) 2016/679, 45 CFR part 164 (HIPAA
Security Rule), PCI DSS 4.0.1, 16 CFR part 314 (GLBA Safeguards Rule), 12 CFR part 1006 (Regulation F) with 15 USC 1692c
(FDCPA). The titles are summaries in our own words; the frameworks' texts are what counts.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Framework(enum.StrEnum):
    """A body of rules; the value is what `sophia compliance --framework` takes."""

    SOC2 = "soc2"
    GDPR = "gdpr"
    HIPAA = "hipaa"
    PCI_DSS = "pci-dss"
    GLBA = "glba"
    FDCPA = "fdcpa"


@dataclass(frozen=True)
class About:
    """A framework in words; ``beyond`` is what of it lies wholly outside of infrastructure code."""

    title: str
    beyond: str


FRAMEWORKS: Final[Mapping[Framework, About]] = {
    Framework.SOC2: About(
        "SOC 2",
        "Governance, risk assessment and monitoring (CC1 to CC5), people and offices (CC6.4), incident response (CC7.3 to "
        "CC7.5), and that any control worked over the whole period of an audit.",
    ),
    Framework.GDPR: About(
        "GDPR",
        "Legal bases and information of residents (Art. 6, 12 to 14), their requests (Art. 15 to 22), contracts with "
        "processors and transfers (Art. 28, 44 to 49), records (Art. 30), breaches (Art. 33, 34), assessments (Art. 35).",
    ),
    Framework.HIPAA: About(
        "HIPAA Security Rule",
        "Whether Pay Ready is a business associate at all, contracts (164.308(b), 164.314), training, sanctions, "
        "facilities and workstations (164.310), and who looked at a record (164.312(b)).",
    ),
    Framework.PCI_DSS: About(
        "PCI DSS 4.0.1",
        "Where card data flows (1.2.4, 12.5.2), scans and penetration tests (11), logs and their review (10), people (12), "
        "and physical access (9).",
    ),
    Framework.GLBA: About(
        "GLBA Safeguards Rule",
        "The qualified individual and the written programme (314.4(a), (b)), multi-factor login of people (314.4(c)(5)), "
        "tests (314.4(d)), training (314.4(e)), service providers (314.4(f)), incidents and reports (314.4(h) to (j)).",
    ),
    Framework.FDCPA: About(
        "FDCPA and Regulation F",
        "What is said to whom, when and how often (1006.6, 1006.14, 1006.18), validation notices (1006.34) and opt-outs "
        "(1006.6(e)): the behaviour of the applications, which nothing here sees.",
    ),
}


@dataclass(frozen=True)
class Control:
    framework: Framework
    id: str
    title: str
    unproven: str
    """What remains to be shown by people, or by other systems."""

    @property
    def name(self) -> str:
        """As people cite it: ``SOC 2 CC6.1``."""
        return f"{_CITED[self.framework]} {self.id}"

    @property
    def sorting(self) -> tuple[str | int, ...]:
        """In the order of the frameworks, and of the numbers in the ids: 1.3.2 before 1.10."""
        parts = re.split(r"(\d+)", self.id)
        return (list(Framework).index(self.framework), *(int(part) if part.isdigit() else part for part in parts))


_CITED: Final[Mapping[Framework, str]] = {
    Framework.SOC2: "SOC 2",
    Framework.GDPR: "GDPR",
    Framework.HIPAA: "HIPAA",
    Framework.PCI_DSS: "PCI DSS",
    Framework.GLBA: "GLBA",
    Framework.FDCPA: "FDCPA",
}

_TABLES = (
    "The tables, their contents and grants made by hand are the loader's, dbt's and people's, and are not seen here."
)
_PEOPLE = "Who the people with access are, and that they should have it, is in single sign-on and reviewed by people."
_VENDOR = "That the vendors encrypt what they store is their attestation (their SOC 2 reports), and no setting of ours."
_RESTORE = "That a restore works is shown by restoring; nothing here has done it."

SOC2_CC6_1: Final = Control(
    Framework.SOC2,
    "CC6.1",
    "Logical access to protected information is restricted by architecture and configuration",
    _PEOPLE,
)
SOC2_CC6_2: Final = Control(
    Framework.SOC2,
    "CC6.2",
    "Credentials are issued, and removed when access is no longer authorised",
    "Keys that people made by hand are known only by their records (`sophia credentials`).",
)
SOC2_CC6_6: Final = Control(
    Framework.SOC2,
    "CC6.6",
    "Access from outside the boundaries is protected against",
    "That the networks named are really Pay Ready's and its vendors' must be confirmed with them.",
)
SOC2_CC6_7: Final = Control(
    Framework.SOC2,
    "CC6.7",
    "Information is restricted and protected when it is transmitted or moved",
    "What people and applications send elsewhere is not seen here.",
)
SOC2_CC6_8: Final = Control(
    Framework.SOC2,
    "CC6.8",
    "Unauthorised or malicious software is prevented or detected",
    "What is in an image, and who built it, needs scans and signatures.",
)
SOC2_CC8_1: Final = Control(
    Framework.SOC2,
    "CC8.1",
    "Changes are authorised, tested and approved before they are made",
    "That a reviewer looked with care, and what was changed at a console (`sophia drift` finds it afterwards).",
)
SOC2_A1_1: Final = Control(
    Framework.SOC2,
    "A1.1",
    "Capacity and its use are managed",
    "What was used and billed is in the vendors' reports.",
)
SOC2_A1_2: Final = Control(
    Framework.SOC2,
    "A1.2",
    "Data backup and recovery infrastructure is designed, operated and maintained",
    _RESTORE,
)
SOC2_C1_1: Final = Control(
    Framework.SOC2, "C1.1", "Confidential information is identified and maintained as such", _TABLES
)

GDPR_5_1_C: Final = Control(
    Framework.GDPR,
    "Art. 5(1)(c)",
    "Personal data is limited to what is necessary",
    "Which fields of the sources are needed is a decision of people; streams are loaded with all their columns.",
)
GDPR_5_1_E: Final = Control(
    Framework.GDPR,
    "Art. 5(1)(e)",
    "Personal data is kept no longer than necessary",
    "The deletion of residents' data after its time is a job of dbt and of people.",
)
GDPR_5_1_F: Final = Control(
    Framework.GDPR, "Art. 5(1)(f)", "Personal data is kept with integrity and confidentiality", _TABLES
)
GDPR_25_2: Final = Control(
    Framework.GDPR,
    "Art. 25(2)",
    "By default personal data is not made accessible to an indefinite number of people",
    "What an application shows after a login is not seen here.",
)
GDPR_32_1_A: Final = Control(
    Framework.GDPR, "Art. 32(1)(a)", "Personal data is pseudonymised and encrypted", f"{_VENDOR} {_TABLES}"
)
GDPR_32_1_B: Final = Control(
    Framework.GDPR,
    "Art. 32(1)(b)",
    "Confidentiality, integrity, availability and resilience of the systems are ensured",
    _PEOPLE,
)
GDPR_32_1_C: Final = Control(
    Framework.GDPR, "Art. 32(1)(c)", "Availability of personal data can be restored in a timely manner", _RESTORE
)

HIPAA_DATA_BACKUP: Final = Control(
    Framework.HIPAA, "164.308(a)(7)(ii)(A)", "Retrievable copies of protected information exist", _RESTORE
)
HIPAA_ACCESS: Final = Control(
    Framework.HIPAA, "164.312(a)(1)", "Only those with access rights reach protected information", _PEOPLE
)
HIPAA_ENCRYPTION: Final = Control(
    Framework.HIPAA, "164.312(a)(2)(iv)", "Protected information is encrypted (addressable)", f"{_VENDOR} {_TABLES}"
)
HIPAA_INTEGRITY: Final = Control(
    Framework.HIPAA,
    "164.312(c)(1)",
    "Protected information is safe from improper alteration or destruction",
    "What an authorised person or job changes in the tables is not seen here.",
)
HIPAA_AUTHENTICATION: Final = Control(
    Framework.HIPAA,
    "164.312(d)",
    "Who seeks access is who they claim to be",
    "The login of people, with a second factor, is single sign-on's.",
)
HIPAA_TRANSMISSION: Final = Control(
    Framework.HIPAA,
    "164.312(e)(1)",
    "Protected information is guarded while it is transmitted",
    "What applications and people transmit by themselves.",
)

PCI_1_3_1: Final = Control(
    Framework.PCI_DSS,
    "1.3.1",
    "Inbound traffic to the card data environment is restricted to what is necessary",
    "Which systems are in scope (1.2.4) is drawn by people; the cluster's own firewall is not managed here.",
)
PCI_1_3_2: Final = Control(
    Framework.PCI_DSS,
    "1.3.2",
    "Outbound traffic from the card data environment is restricted to what is necessary",
    "HTTPS to any address on the internet is allowed: where it goes is not seen here.",
)
PCI_3_4_1: Final = Control(
    Framework.PCI_DSS,
    "3.4.1",
    "Card numbers are masked wherever they are displayed",
    f"Card numbers belong with the payment processor only. {_TABLES}",
)
PCI_3_5_1: Final = Control(
    Framework.PCI_DSS, "3.5.1", "Card numbers are unreadable wherever they are stored", f"{_VENDOR} {_TABLES}"
)
PCI_4_2_1: Final = Control(
    Framework.PCI_DSS,
    "4.2.1",
    "Strong cryptography guards card numbers on open networks",
    "Versions and ciphers of TLS are the vendors'.",
)
PCI_6_3_2: Final = Control(
    Framework.PCI_DSS,
    "6.3.2",
    "Third-party software components are inventoried, so that they can be patched",
    "The inventory of what is inside images, and that known vulnerabilities are patched in time.",
)
PCI_6_5_1: Final = Control(
    Framework.PCI_DSS,
    "6.5.1",
    "Changes to production are documented, approved and tested, and can be undone",
    "That the description of a change and its impact was true.",
)
PCI_7_2_1: Final = Control(Framework.PCI_DSS, "7.2.1", "Access follows from need and role", _PEOPLE)
PCI_8_6_2: Final = Control(
    Framework.PCI_DSS,
    "8.6.2",
    "Credentials of applications are not hard-coded where they can be read",
    "The source code of applications, which secret scanning looks at.",
)
PCI_8_6_3: Final = Control(
    Framework.PCI_DSS,
    "8.6.3",
    "Credentials of applications are changed periodically and on suspicion",
    "Keys made by hand, and every suspicion. A record of an age is no rotation.",
)

GLBA_ACCESS: Final = Control(
    Framework.GLBA, "314.4(c)(1)", "Access to customer information is controlled and reviewed", _PEOPLE
)
GLBA_ENCRYPTION: Final = Control(
    Framework.GLBA,
    "314.4(c)(3)",
    "Customer information is encrypted at rest, and in transit over external networks",
    f"{_VENDOR} {_TABLES}",
)
GLBA_DISPOSAL: Final = Control(
    Framework.GLBA,
    "314.4(c)(6)",
    "Customer information is disposed of two years after its last use, and retention is minimised",
    "The deletion of customers' data after its time is a job of dbt and of people.",
)
GLBA_CHANGE: Final = Control(
    Framework.GLBA,
    "314.4(c)(7)",
    "There are procedures for the management of changes",
    "That the procedures are followed outside of this program (`sophia drift` finds what was not).",
)

FDCPA_RETENTION: Final = Control(
    Framework.FDCPA,
    "12 CFR 1006.100",
    "Records of collection are kept for three years after the last activity, recordings three years after the call",
    "Protection keeps a store from being deleted; it does not keep a row, a recording or a message for three years.",
)
FDCPA_THIRD_PARTIES: Final = Control(
    Framework.FDCPA,
    "12 CFR 1006.6(d)(1)",
    "Debts are not disclosed to third parties (15 USC 1692c(b))",
    "Who reads a channel, a mailbox or a call, and what an agent says there.",
)

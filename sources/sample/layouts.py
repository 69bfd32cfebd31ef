"""The two printed forms, as rows of codes and labels (国办公开办函〔2019〕60号 and 国办公开办函〔2021〕30号)."""

from __future__ import annotations

APPLICANTS = {
    "natural_person": "自然人",
    "business": "商业企业",
    "research_institution": "科研机构",
    "public_interest_organization": "社会公益组织",
    "legal_service": "法律服务机构",
    "other_organization": "其他",
    "total": "总计",
}

RECONCILIATION = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
RESULTS = "三、本年度办理结果"
PROCESSED_TOTAL = "processed_total"

# heading of the block, header cells, rows of (label, codes)
Block = tuple[str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]

ITEMS = ("信息内容", "上一年项目数量", "本年增/减", "处理决定数量")


def _items(stem: str) -> tuple[str, str, str]:
    return f"{stem}_items_previous", f"{stem}_items_change", f"{stem}_decisions"


BLOCKS: dict[int, tuple[Block, ...]] = {
    2019: (
        (
            "第二十条第（一）项",
            ("信息内容", "本年新制作数量", "本年新公开数量", "对外公开总数量"),
            (
                ("规章", ("regulation_made", "regulation_disclosed", "regulation_disclosed_total")),
                ("规范性文件", ("normative_document_made", "normative_document_disclosed", "normative_document_disclosed_total")),
            ),
        ),
        (
            "第二十条第（五）项",
            ITEMS,
            (("行政许可", _items("administrative_license")), ("其他对外管理服务事项", _items("other_external_service"))),
        ),
        (
            "第二十条第（六）项",
            ITEMS,
            (("行政处罚", _items("administrative_penalty")), ("行政强制", _items("administrative_coercion"))),
        ),
        ("第二十条第（八）项", ITEMS[:3], (("行政事业性收费", _items("administrative_fee")[:2]),)),
        (
            "第二十条第（九）项",
            ("信息内容", "采购项目数量", "采购总金额"),
            (("政府集中采购", ("government_procurement_projects", "government_procurement_amount")),),
        ),
    ),
    2021: (
        (
            "第二十条第（一）项",
            ("信息内容", "本年制发件数", "本年废止件数", "现行有效件数"),
            (
                ("规章", ("regulation_issued", "regulation_repealed", "regulation_in_force")),
                ("行政规范性文件", ("normative_document_issued", "normative_document_repealed", "normative_document_in_force")),
            ),
        ),
        ("第二十条第（五）项", ("信息内容", "本年处理决定数量"), (("行政许可", ("administrative_license_decisions",)),)),
        (
            "第二十条第（六）项",
            ("信息内容", "本年处理决定数量"),
            (("行政处罚", ("administrative_penalty_decisions",)), ("行政强制", ("administrative_coercion_decisions",))),
        ),
        (
            "第二十条第（八）项",
            ("信息内容", "本年收费金额（单位：万元）"),
            (("行政事业性收费", ("administrative_fee_amount",)),),
        ),
    ),
}

# label of the group or None, then its rows of (code, label)
Group = tuple[str | None, tuple[tuple[str, str], ...]]

_DECIDED: tuple[Group, ...] = (
    (None, (("granted", "（一）予以公开"), ("partially_granted", "（二）部分公开（区分处理的，只计这一情形，不计其他情形）"))),
    (
        "（三）不予公开",
        (
            ("denied_state_secret", "1.属于国家秘密"),
            ("denied_prohibited_by_law", "2.其他法律行政法规禁止公开"),
            ("denied_security_stability", "3.危及“三安全一稳定”"),
            ("denied_third_party", "4.保护第三方合法权益"),
            ("denied_internal_affairs", "5.属于三类内部事务信息"),
            ("denied_process", "6.属于四类过程性信息"),
            ("denied_enforcement_file", "7.属于行政执法案卷"),
            ("denied_administrative_query", "8.属于行政查询事项"),
        ),
    ),
    (
        "（四）无法提供",
        (
            ("unavailable_not_held", "1.本机关不掌握相关政府信息"),
            ("unavailable_needs_creation", "2.没有现成信息需要另行制作"),
            ("unavailable_unclear", "3.补正后申请内容仍不明确"),
        ),
    ),
    (
        "（五）不予处理",
        (
            ("not_processed_petition", "1.信访举报投诉类申请"),
            ("not_processed_repeat", "2.重复申请"),
            ("not_processed_publication", "3.要求提供公开出版物"),
            ("not_processed_excessive", "4.无正当理由大量反复申请"),
            ("not_processed_confirmation", "5.要求行政机关确认或重新出具已获取信息"),
        ),
    ),
)
_OTHER: dict[int, Group] = {
    2019: (None, (("other_total", "（六）其他处理"),)),
    2021: (
        "（六）其他处理",
        (
            ("other_no_correction", "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请"),
            ("other_fee_unpaid", "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请"),
            ("other_other", "3.其他"),
        ),
    ),
}
_TOTAL: Group = (None, ((PROCESSED_TOTAL, "（七）总计"),))

GROUPS: dict[int, tuple[Group, ...]] = {layout: (*_DECIDED, other, _TOTAL) for layout, other in _OTHER.items()}
FIRST_ROWS = (("new_received", "一、本年新收政府信息公开申请数量"), ("carried_in", "二、上年结转政府信息公开申请数量"))
LAST_ROW = ("carried_out", "四、结转下年度继续办理")

OUTCOMES = {"upheld": "结果维持", "corrected": "结果纠正", "other": "其他结果", "pending": "尚未审结", "total": "总计"}
REVIEWS = {
    "reconsideration": "行政复议",
    "litigation_direct": "未经复议直接起诉",
    "litigation_after_reconsideration": "复议后起诉",
}

PROACTIVE = {layout: [code for _, _, rows in blocks for _, codes in rows for code in codes] for layout, blocks in BLOCKS.items()}
RESULT_CODES = {layout: [code for _, rows in groups for code, _ in rows] for layout, groups in GROUPS.items()}
REQUESTS = {layout: ["new_received", "carried_in", *codes, "carried_out"] for layout, codes in RESULT_CODES.items()}
LITIGATION = [f"{review}_{outcome}" for review in REVIEWS for outcome in OUTCOMES]

// The rules follow from what Stanford's tokenizer 3.4.1 does, and a test holds them against its
// output. Letters in (?i:...) stand for both cases, those in brackets for themselves.
#include "tasks/metrics/ptb_rules.h"

#include <unicode/uchar.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace unival {
namespace {

std::string AnyCase(absl::string_view pattern) { return absl::StrCat("(?i:", pattern, ")"); }

// Marks of Hebrew to Lao, which count as letters; later ones do not.
std::string MarksThatAreLetters() {
  std::string marks;
  for (UChar32 c = 0x591; c <= 0xECD; ++c) {
    const int8_t type = u_charType(c);
    if (type != U_NON_SPACING_MARK && type != U_COMBINING_SPACING_MARK) continue;
    absl::StrAppendFormat(&marks, "\\x{%X}", c);
  }
  return marks;
}

// Abbreviations that keep their period before numbers.
constexpr char kBeforeNumbers[] = "ca|figs?|prop|nos?|art|bldg|pp|op";

// The pieces that rules are made of.
struct Pieces {
  const std::string unicode_letter = R"(\p{L})", digit = R"(\p{Nd})";
  const std::string letter = absl::StrCat(
      R"((?:[\p{L}\x{AD}\x{2C2}-\x{2C5}\x{2D2}-\x{2DF}\x{2E5}-\x{37D}\x{384}\x{385}\x{3F6})",
      R"(\x{483}-\x{487}\x{55A}-\x{55F})", MarksThatAreLetters(),
      R"(]|&[aeiouAEIOU](?i:acute|grave|uml);))");
  const std::string space = R"([ \t\x{A0}\x{2000}-\x{200A}\x{3000}])";
  const std::string line_end = R"((?:\r\n|[\r\n\x{2028}\x{2029}\x{B}\x{C}\x{85}]))";
  const std::string white = absl::StrCat("(?:", space, "|", line_end, ")");
  const std::string apostrophe = R"((?:['\x{92}\x{2019}]|(?i:&apos;)))";
  const std::string quote_in_word =
      absl::StrCat("(?:", apostrophe, R"(|[`\x{91}\x{2018}\x{201B}]))");
  const std::string alnum = absl::StrCat("(?:", letter, "|", digit, ")");
  const std::string plain_alnum = R"([\p{L}\p{Nd}])";
  const std::string word = absl::StrCat(letter, alnum, "*(?:[.!?]", letter, alnum, "*)*");
  const std::string amp = "(?i:&amp;)";
  // 'll, 's and their like, and n't.
  const std::string clitic = absl::StrCat(apostrophe, "(?:[msdMSD]|(?i:re|ve|ll))");
  const std::string not_clitic = absl::StrCat("[nN]", quote_in_word, "[tT]");
  const std::string tag = R"((?:<(?:[!?][A-Za-z\-][^>\r\n]*|[A-Za-z][A-Za-z0-9_:.\-]*)"
                          R"((?: +(?:[A-Za-z][A-Za-z0-9_:.\-]*(?: *= *(?:'[^']*'|"[^"]*"))?))* */?)"
                          R"(|/[A-Za-z][A-Za-z0-9_:.\-]*) *>))";
  const std::string acronym_stem =
      R"((?i:(?:canada|sino|korean|eu|japan|non)-u\.s|u\.s\.-(?:u\.k|u\.s\.s\.r)))";
  const std::string acronym = absl::StrCat(R"((?:[A-Za-z](?:\.[A-Za-z])*|)", acronym_stem, ")");
  const std::string long_acronym =
      absl::StrCat(R"((?:[A-Za-z](?:\.[A-Za-z])+|)", acronym_stem, ")");
  // Abbreviations that usually end before small letters: months, days, states, firms, and more. A
  // letter in brackets keeps a common word apart from a state's name.
  const std::string closing_abbreviation = absl::StrCat(
      AnyCase("jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mon|tues?|wed|thu|thurs|fri|"
              "ala|ariz|calif|colo|conn|ct|dak|fla|ga|ind|kans?|ky|md|mich|minn|mo|mont|neb|nev|"
              "okla|penn|tenn|va|vt|wisc?|wyo|"
              "inc|cos?|corp|ltd|plc|rt|bancorp|bhd|assn|univ|intl|sys|tel|est|ext|sq|"
              R"(jr|sr|bros|(?:ed|ph)\.d|blvd|rd|esq|etc|al|seq|bldg)"),
      "|A(?i:z)|A(?i:rk)|D(?i:el)|I(?i:ll)|L(?i:a)|M(?i:ass)|M(?i:iss)|O(?i:re)|P(?i:a)|T(?i:ex)|"
      "W(?i:ash)|[pP][pP]?[tT][ye][sS]?");
  const std::string closing = absl::StrCat("(?:", closing_abbreviation, R"()\.)");
  // Those before names: titles, offices and the like; any acronym.
  const std::string leading = absl::StrCat(
      "(?:",
      AnyCase("mr|mrs|ms|drs?|profs?|sens?|reps?|attys?|lt|col|gen|messrs|govs?|adm|rev|maj|sgt|"
              "cpl|pvt|capt|ste?|ave|pres|lieut|hon|brig|co?mdr|pfc|spc|supts?|det|mt|ft|adj|adv|"
              "asst|assoc|ens|insp|mlle|mme|msgr|sfc|vs|alex|wm|jos|cie|cf|treas|ph|invt|elec|"
              R"(natl|dept|a\.k\.a)"),
      "|M(?i:iss)|[mM][ft][gG]|", acronym, ")");
  const std::string hyphen = R"([-_\x{58A}\x{2010}\x{2011}])";
  const std::string elided = absl::StrCat("(?:[dDoOlL]", quote_in_word, plain_alnum, ")?");
  const std::string compound =
      absl::StrCat(elided, plain_alnum, "+(?:", hyphen, elided, plain_alnum, "+)*");
  const std::string joined = absl::StrCat(
      R"([A-Za-z0-9][A-Za-z0-9.,\x{AD}]*(?:-(?:[A-Za-z0-9\x{AD}]+|)", long_acronym, R"(\.))+)");
  const std::string capitals = absl::StrCat("[A-Z]+(?:(?:[+&]|", amp, ")[A-Z]+)+");
  const std::string number_part =
      absl::StrCat("(?:", digit, "+|", digit, R"(*(?:[.:,\x{AD}\x{66B}\x{66C}])", digit, "+)+)");
  const std::string pause = R"([,;:\x{3001}])";
  const std::string starter =
      absl::StrCat(R"((?:A(?i:bout|ccording|dditionally|fter|n|s|t)|A|B(?i:ut)|E(?i:arlier)|)"
                   R"(H(?i:e|er|ere|owever)|I(?i:f|n|t)|L(?i:ast)|M(?i:any|ore|r\.|s\.)|N(?i:ow)|)"
                   R"(O(?i:nce|ne|ther|ur)|S(?i:he|ince|o|ome|uch)|)"
                   R"(T(?i:hat|he|heir|hen|here|hese|hey|his)|W(?i:e|hen|hile|hat)|Y(?i:et|ou)|)",
                   tag, ")");
};

std::unique_ptr<RE2> Compile(const std::string& pattern) {
  RE2::Options options;
  options.set_longest_match(true);
  options.set_dot_nl(true);
  options.set_max_mem(64 << 20);
  return std::make_unique<RE2>(pattern, options);
}

class RuleTable {
 public:
  // `begins`: "l" letters, "d" digits, "o" other ASCII characters; more do no harm.
  void Add(const char* begins, PtbAction action, const std::string& head,
           const std::string& tail = "") {
    PtbRule rule;
    rule.action = action;
    if (tail.empty()) {
      rule.whole = Compile(head);
    } else {
      rule.whole = Compile(absl::StrCat("(?:", head, ")(?:", tail, ")"));
      rule.head = Compile(head);
      rule.tail = Compile(tail);
    }
    const absl::string_view at(begins);
    rule.at_letter = at.find('l') != at.npos;
    rule.at_digit = at.find('d') != at.npos;
    rule.at_other = at.find('o') != at.npos;
    rules.push_back(std::move(rule));
  }

  std::vector<PtbRule> rules;
};

void AddWords(const Pieces& p, RuleTable& table) {
  table.Add("l", PtbAction::kKeep, R"([cC]\+\+|[cCfF]#)");
  table.Add("lo", PtbAction::kShorten3, AnyCase("cannot|'twas"));
  table.Add("lo", PtbAction::kShorten2, AnyCase("'tis|gonna|gotta|lemme|gimme|wanna"));
  table.Add("o", PtbAction::kKeepSpaces, p.tag);
  table.Add("o", PtbAction::kDash, R"(&(?i:md|mdash|ndash);|[\x{96}\x{97}\x{2013}-\x{2015}])");
  table.Add("o", PtbAction::kAmpersand, p.amp);
  table.Add("o", PtbAction::kKeep, "&(?:(?i:ht|tl|ur|lr|qc|ql|qr|odq|cdq)|#[0-9]+);");
  table.Add("lo", PtbAction::kWord, p.word, p.clitic);
  table.Add("lo", PtbAction::kWord, R"([A-Za-z\x{AD}]*[A-MO-Za-mo-z]\x{AD}*)", p.not_clitic);
  table.Add("lo", PtbAction::kWord, p.word);
  const std::string letter = p.unicode_letter;
  table.Add("lo", PtbAction::kKeep,
            absl::StrCat(p.apostrophe, "[nN]", p.apostrophe, "?|[lLdDjJ]", p.apostrophe,
                         "|(?i:dunkin|somethin|ol)", p.apostrophe, "|", p.apostrophe,
                         "(?i:em|till?|cause)|[A-HJ-XZn]", p.quote_in_word, letter, "{2,}|",
                         p.apostrophe, "[2-9]0[sS]|", letter, "+[aeiouyAEIOUY]", p.quote_in_word,
                         "[aeiouA-Z]", letter, "*|",
                         AnyCase(R"(cont'd\.?|'twas|nor'easter|c'mon|)"
                                 "e'er|s'mores|ev'ry|li'l|nat'l"),
                         "|[oO]", p.quote_in_word, "[oO]"));
  table.Add("l", PtbAction::kKeep, absl::StrCat("[yY]", p.apostrophe), letter);
}

void AddAddresses(RuleTable& table) {
  const std::string path_end = R"([^ \t\n\f\r"<>|.!?(){},-])";
  table.Add("l", PtbAction::kKeep,
            absl::StrCat(R"((?i:https?)://[^ \t\n\f\r"<>|(){}]+)", path_end));
  // The range from "," to "_" in the second form is the original's.
  table.Add("ldo", PtbAction::kKeep,
            absl::StrCat(R"((?:(?i:www)\.(?:[^ \t\n\f\r"<>|.!?(){},]+\.)+[a-zA-Z]{2,4})",
                         R"re(|(?:[^ \t\n\f\r"`'<>|.!?(){},-_$]+\.)+(?i:com|net|org|edu)))re",
                         R"((?:/[^ \t\n\f\r"<>|()]+)", path_end, ")?"));
  table.Add("ldo", PtbAction::kKeep,
            R"re((?:(?i:&lt;)|<)?[a-zA-Z0-9][^ \t\n\f\r"<>|()\x{A0}{}]*@)re"
            R"re((?:[^ \t\n\f\r"<>|(){}.\x{A0}]+\.)*[^ \t\n\f\r"<>|(){}.\x{A0}]+)re"
            R"re((?:(?i:&gt;)|>)?)re");
}

void AddNumbers(const Pieces& p, RuleTable& table) {
  table.Add("o", PtbAction::kKeep, absl::StrCat("@[a-zA-Z_][a-zA-Z_0-9]*|#", p.letter, "+"));
  table.Add("o", PtbAction::kCloseQuote, p.clitic, "[^A-Za-z]");
  table.Add("l", PtbAction::kCloseQuote, p.not_clitic, "[^A-Za-z]");
  const std::string d = p.digit;
  table.Add("d", PtbAction::kKeep, absl::StrCat(d, "{1,2}[-/]", d, "{1,2}[-/]", d, "{2,4}"));
  table.Add("do", PtbAction::kWord, absl::StrCat("[-+]?", p.number_part));
  table.Add("", PtbAction::kKeep,
            R"([\x{207A}\x{207B}\x{208A}\x{208B}]?)"
            R"((?:[\x{2070}\x{B9}\x{B2}\x{B3}\x{2074}-\x{2079}]+|[\x{2080}-\x{2089}]+))");
  table.Add(
      "d", PtbAction::kKeepSpaces,
      absl::StrCat("(?:", d, R"({1,4}[- \x{A0}])?)", d, R"({1,4}(?:\\?/|\x{2044}))", d, "{1,4}"));
  table.Add("", PtbAction::kFraction, R"([\x{BC}-\x{BE}\x{2153}-\x{215E}])");
  table.Add(
      "lo", PtbAction::kAmpersand,
      absl::StrCat("(?i:-(?:[rl][rcs]b)-|c\\.d\\.s|pro-|anti-)|[sS](?:&|", p.amp,
                   ")(?i:p-500|ls)|(?i:cap)", p.apostrophe, "[nN]|[cC]", p.apostrophe, "(?i:est)"));
  table.Add("ld", PtbAction::kKeep,
            R"([A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2})");
  table.Add("lo", PtbAction::kKeep, R"([A-Z]*\$|#)");
  table.Add("", PtbAction::kCurrency,
            R"([\x{A2}-\x{A5}\x{80}\x{20A0}\x{20A4}\x{20AC}\x{60B}\x{E3F}\x{FFE0}\x{FFE1})"
            R"(\x{FFE5}\x{FFE6}])");
}

void AddAbbreviations(const Pieces& p, RuleTable& table) {
  table.Add("l", PtbAction::kInitial, absl::StrCat(p.acronym, R"(\.)"),
            absl::StrCat(p.white, "+", p.starter, p.white));
  table.Add("l", PtbAction::kKeep, AnyCase(absl::StrCat("(?:", kBeforeNumbers, R"()\.)")),
            absl::StrCat(p.white, "?", p.digit));
  table.Add("l", PtbAction::kKeep, R"((?:[pP][tT][eyEY]|[cC][oO])\.)",
            absl::StrCat(p.space, "(?i:ltd|lim)"));
  table.Add("l", PtbAction::kReadDot, p.closing,
            absl::StrCat(p.white, "(?:", p.white, R"(|\p{Lu}|)", p.tag, ")"));
  table.Add("l", PtbAction::kKeep, p.closing, "..");
  table.Add("l", PtbAction::kReadDot, p.closing);
  table.Add("l", PtbAction::kKeep, absl::StrCat(p.leading, R"(\.)"));
  table.Add("l", PtbAction::kKeep, p.leading, p.space);
  table.Add("l", PtbAction::kKeep, p.acronym, p.white);
  table.Add("o", PtbAction::kKeep, absl::StrCat(p.apostrophe, "[0-9][0-9]"), p.white);
  table.Add("ldo", PtbAction::kKeep,
            absl::StrCat(p.alnum, R"(+(?:\.)", p.alnum, R"(+)*\.)",
                         AnyCase("bat|bmp|c|class|cgi|cpp|dll|docx?|exe|gif|gz|h|html?|jar|java|"
                                 "jpe?g|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|txt|wav|x|xml|"
                                 "zip")),
            absl::StrCat(p.white, "|[.?!,]"));
  table.Add("lo", PtbAction::kWord, absl::StrCat(p.word, R"(\.)"), p.pause);
  table.Add(
      "do", PtbAction::kPhone,
      R"((?:\([0-9]{2,3}\)[ \x{A0}]?|(?:\+\+?)?(?:[0-9]{2,4}[- \x{A0}])?[0-9]{2,4}[- \x{A0}]))"
      R"([0-9]{3,4}[- \x{A0}]?[0-9]{3,5})"
      R"(|(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5})");
}

void AddMarks(const Pieces& p, RuleTable& table) {
  table.Add("o", PtbAction::kOpenQuote, "\"|(?i:&quot;)", "[A-Za-z0-9$]");
  table.Add("o", PtbAction::kCloseQuote, "\"|(?i:&quot;)");
  table.Add("o", PtbAction::kDrop, R"(\x7f)");
  table.Add("o", PtbAction::kLess, "<|(?i:&lt;)");
  table.Add("o", PtbAction::kGreater, ">|(?i:&gt;)");
  table.Add("o", PtbAction::kSmiley, R"([<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]])", "[^A-Za-z0-9]");
  table.Add("o", PtbAction::kSmiley,
            R"([-^x=~<>']_[-^x=~<>']|\([-^x=~<>'][_.]?[-^x=~<>']\)|\([\^x=~<>']-[\^x=~<>'`]\))");
  table.Add("l", PtbAction::kSmiley, R"(x_[-^x=~<>'])");
  table.Add("o", PtbAction::kBracket, R"([{}\[\]()])");
  table.Add("o", PtbAction::kHyphens, "-+");
  table.Add("o", PtbAction::kEllipsis, R"(\.{3,5}|(?:\.[ \x{A0}]){2,4}\.|[\x{85}\x{2026}])");
  table.Add("o", PtbAction::kKeep, R"(@+|#+|_+|\*+|(?:\\\*){1,3})");
  table.Add("o", PtbAction::kKeep, absl::StrCat(p.pause, "|[?!]+"));
  table.Add("o", PtbAction::kKeep,
            R"([.¡¿\x{37E}\x{589}\x{61F}\x{6D4}\x{700}-\x{702}\x{7FA}\x{3002}]|=|/)");
}

void AddCompounds(const Pieces& p, RuleTable& table) {
  table.Add("ld", PtbAction::kWord, absl::StrCat(p.joined, R"(\.)"), p.pause);
  table.Add("ld", PtbAction::kWord, p.joined);
  table.Add("ldo", PtbAction::kKeep, absl::StrCat(p.compound, R"(\.)"), p.pause);
  table.Add("ldo", PtbAction::kKeep, p.compound);
  table.Add("l", PtbAction::kAmpersand, absl::StrCat(p.capitals, R"(\.)"), p.pause);
  table.Add("l", PtbAction::kAmpersand, p.capitals);
  table.Add("o", PtbAction::kOpenQuote, "'", R"([A-Za-z][^ \t\n\r\x{A0}])");
  table.Add("lo", PtbAction::kCloseQuote, absl::StrCat(p.clitic, "|", p.not_clitic));
  table.Add("o", PtbAction::kCloseQuote,
            absl::StrCat(p.apostrophe, R"(|''|[`\x{2018}-\x{201F}\x{91}-\x{94}\x{2039}\x{203A})",
                         R"(\x{AB}\x{BB}]{1,2})"));
  table.Add("o", PtbAction::kKeep, "<<|>>");
  table.Add("o", PtbAction::kKeep,
            R"([+%&~^|\\¦§¨©¬®¯°-³´-º×÷\x{387}\x{5BE}\x{5C0}\x{5C3}\x{5C6}\x{5F3}\x{5F4})"
            R"(\x{600}-\x{603}\x{606}-\x{60A}\x{60C}\x{614}\x{61B}\x{61E}\x{66A}\x{66D})"
            R"(\x{703}-\x{70D}\x{7F6}-\x{7F8}\x{964}\x{965}\x{E4F}\x{1FBD}\x{2016}\x{2017})"
            R"(\x{2020}-\x{2023}\x{2030}-\x{2038}\x{203B}\x{203E}-\x{2042}\x{2044})"
            R"(\x{207A}-\x{207F}\x{208A}-\x{208E}\x{2100}-\x{214F}\x{2190}-\x{2BFF}\x{3012})"
            R"(\x{30FB}\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF20}\x{FF3B}-\x{FF40}\x{FF5B}-\x{FF65}])");
  table.Add("o", PtbAction::kDrop,
            absl::StrCat(R"(\x{0}|)", p.space, R"(+|[\x{200B}\x{200E}\x{200F}\x{FEFF}])"));
  table.Add("o", PtbAction::kNewLine, p.line_end);
  table.Add("o", PtbAction::kDrop, "(?i:&nbsp;)");
  table.Add("ldo", PtbAction::kDrop, ".");
}

}  // namespace

bool IsPtbAbbreviation(absl::string_view word) {
  static const RE2* const kAbbreviations = [] {
    const Pieces pieces;
    return new RE2(absl::StrCat("(?:", pieces.closing_abbreviation, "|", pieces.leading, "|",
                                AnyCase(kBeforeNumbers), ")"));
  }();
  return RE2::FullMatch({word.data(), word.size()}, *kAbbreviations);
}

const std::vector<PtbRule>& PtbRules() {
  static const auto* const kRules = [] {
    const Pieces pieces;
    RuleTable table;
    AddWords(pieces, table);
    AddAddresses(table);
    AddNumbers(pieces, table);
    AddAbbreviations(pieces, table);
    AddMarks(pieces, table);
    AddCompounds(pieces, table);
    return new std::vector<PtbRule>(std::move(table.rules));
  }();
  return *kRules;
}

}  // namespace unival

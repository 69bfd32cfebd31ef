-- Whether a title names a parallel edition in pictures. The words are those of extract/titles.py.
CREATE OR REPLACE MACRO is_picture_title(title) AS regexp_matches(
    regexp_replace(title, '\s', '', 'g'),
    '图解|图文解读|图片版|图文版|一图|长图|漫画|图说|图示|图表|视频|动漫|H5|解读|读懂',
    'i'
);

# pyexpat: every kind of handler, a document in small pieces, errors and their positions.
from xml.parsers import expat
def start(n,a): print('start',n,a)
p=expat.ParserCreate(namespace_separator='}')
p.StartElementHandler=start; p.EndElementHandler=lambda n: print('end',n); p.CharacterDataHandler=lambda d: print('data',repr(d)); p.CommentHandler=lambda d:print('comment',d)
p.ProcessingInstructionHandler=lambda *a:print('pi',a); p.XmlDeclHandler=lambda *a: print('decl',a); p.StartDoctypeDeclHandler=lambda *a:print('doctype',a); p.ElementDeclHandler=lambda *a:print('eldecl',a); p.AttlistDeclHandler=lambda *a:print('att',a); p.EntityDeclHandler=lambda *a:print('ent',a); p.StartNamespaceDeclHandler=lambda *a:print('ns',a); p.DefaultHandler=lambda d:print('default',repr(d))
p.buffer_text=True; p.ordered_attributes=True
DOC=b'''<?xml version="1.0" encoding="iso-8859-15"?><!DOCTYPE a [<!ELEMENT a (b|c)*><!ATTLIST a x CDATA "d"><!ENTITY e "text">]>
<a y="1&amp;2" xmlns="urn:q"><?pi some data?><!-- c -->h\xa4llo &e; <b/><![CDATA[x<y]]></a>'''
for i in range(0,len(DOC),7): p.Parse(DOC[i:i+7])
print(p.Parse(b'',True))
for bad in (b'<a><b></a>',b'',b'<a>&x;</a>',b'\xff',b'<a b="1" b="2"/>'):
    q=expat.ParserCreate()
    try: q.Parse(bad,True)
    except expat.ExpatError as e: print(e, e.code, e.lineno, e.offset, type(e))
q=expat.ParserCreate()
def boom(*a): raise KeyError('boom')
q.StartElementHandler=boom
try: q.Parse('<a><b/></a>',True)
except KeyError as e: print('raised',e)
for f in (lambda:expat.ParserCreate(namespace_separator='ab'),lambda:expat.ParserCreate(5),lambda:expat.ParserCreate(intern=5),lambda:q.Parse(5), lambda:expat.ErrorString(3), lambda:expat.errors.XML_ERROR_SYNTAX, lambda:expat.model.XML_CTYPE_SEQ, lambda: setattr(q,'buffer_size',0), lambda: q.ErrorCode, lambda: expat.errors.messages[7]):
    try: print(f())
    except Exception as e: print(type(e).__name__,e)
import xml.sax.handler
